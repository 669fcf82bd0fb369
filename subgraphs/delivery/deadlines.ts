import type { Database } from '../../platform/postgres/database.js';
import type { Dispatching } from './assign.js';
import { apply, lockDeliveries } from './changes.js';
import { decideOverdue } from './domain.js';
import { active } from './sql.js';

const batchSize = 100;

/**
 * Takes deliveries whose deadline has passed, by the database's clock, off their couriers: they wait for another one,
 * and the one that has been given `maxAttempts` times fails. Six statements, however many there are; answers how many.
 */
export const releaseOverdue = (
  database: Database,
  maxAttempts: number,
  { deadlineMs, geography }: Dispatching,
): Promise<number> =>
  database.transaction(async (tx) => {
    // What a replica has given that knows no deadlines has all of its time from now on.
    await tx.query(
      `update deliveries set deadline = now() + $1 * interval '1 ms'
       where courier_id is not null and ${active} and deadline is null`,
      [deadlineMs],
    );
    const overdue = await lockDeliveries(
      tx,
      `where d.courier_id is not null and d.${active} and d.deadline <= now()
       order by d.deadline limit $1`,
      [batchSize],
      'skip locked',
    );
    await apply(
      tx,
      overdue.map((delivery) => ({
        delivery,
        after: decideOverdue(delivery, maxAttempts),
        reason: 'The deadline has passed.',
        by: 'system',
      })),
      geography,
    );
    return overdue.length;
  });
