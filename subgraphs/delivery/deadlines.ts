import type { Database } from '../../platform/postgres/database.js';
import { type DecidedChange, type MovingDelivery, record } from './commands.js';
import { decideOverdue } from './domain.js';
import { active } from './sql.js';

const batchSize = 100;

type OverdueDelivery = MovingDelivery & { attempts: number };

/**
 * Takes deliveries whose deadline has passed, by the database's clock, off their couriers: they wait for another one,
 * and the one that has been given `maxAttempts` times fails. Four statements, however many there are; answers how many.
 */
export const releaseOverdue = (database: Database, maxAttempts: number): Promise<number> =>
  database.transaction(async (tx) => {
    const { rows } = await tx.query<OverdueDelivery>(
      `select id, order_id as "orderId", user_id as "userId", courier_id as "courierId", status, sequence, attempts
       from deliveries where courier_id is not null and ${active}
         and deadline <= now()
       order by deadline limit $1 for update skip locked`,
      [batchSize],
    );
    if (rows.length === 0) return 0;
    const released = rows.map((delivery) => {
      const attempts = delivery.attempts + 1;
      const status = decideOverdue(attempts, maxAttempts);
      // One that waits for its courier to set out goes on waiting: no change of its status.
      const sequence = delivery.sequence + Number(status !== delivery.status);
      return { delivery, attempts, status, sequence };
    });
    await tx.query(
      `update deliveries d set status = n.status, sequence = n.sequence, attempts = n.attempts, deadline = null,
         courier_id = case when n.status = 'PENDING' then null else courier_id end, updated_at = now()
       from unnest($1::uuid[], $2::text[], $3::int[], $4::int[]) as n (id, status, sequence, attempts) where d.id = n.id`,
      [
        released.map(({ delivery }) => delivery.id),
        released.map(({ status }) => status),
        released.map(({ sequence }) => sequence),
        released.map(({ attempts }) => attempts),
      ],
    );
    await tx.query('update couriers set free_since = now() where id = any($1::uuid[])', [
      released.map(({ delivery }) => delivery.courierId),
    ]);
    const changes = released.flatMap(({ delivery, status, sequence }): DecidedChange[] => {
      const { id: deliveryId, orderId, userId, courierId, status: previous } = delivery;
      if (status === previous) return [];
      const reason = 'The deadline has passed.';
      return [{ deliveryId, orderId, userId, courierId, sequence, previous, status, reason, by: 'system' }];
    });
    if (changes.length > 0) await record(tx, changes);
    return released.length;
  });
