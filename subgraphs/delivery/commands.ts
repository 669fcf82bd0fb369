import { type DeliveryStatus, deliveryStatusUpdated } from '../../events/delivery.js';
import { toMessage } from '../../platform/bus/event.js';
import { insertOutbox } from '../../platform/outbox.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { isFinal, nextStep } from './domain.js';
import type { DeliveryChangeRow } from './rows.js';
import { active, byTurn, isFree } from './sql.js';

/** A change of a delivery that has been decided; `sequence`, `status` and the courier are those after it. */
export type DecidedChange = Omit<DeliveryChangeRow, 'at' | 'feed'> & { courierId: string | null };

/**
 * Writes the history and the events of changes, in the transaction that makes them: two statements. Where its own
 * transaction is older than that of the change before it, a change takes that one's place in the feed of all: each
 * delivery's changes stand there in their order.
 */
export async function record(tx: Tx, changes: DecidedChange[]): Promise<void> {
  await tx.query(
    `insert into delivery_changes (delivery_id, sequence, previous, status, reason, by, courier_id, xid)
     select delivery_id, sequence, previous, status, reason, by, courier_id, greatest(pg_current_xact_id(), (
       select xid from delivery_changes b where b.delivery_id = n.delivery_id order by b.sequence desc limit 1))
     from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[]) with ordinality
       as n (delivery_id, sequence, previous, status, reason, by, courier_id, place)
     order by place`,
    [
      changes.map(({ deliveryId }) => deliveryId),
      changes.map(({ sequence }) => sequence),
      changes.map(({ previous }) => previous),
      changes.map(({ status }) => status),
      changes.map(({ reason }) => reason),
      changes.map(({ by }) => by),
      changes.map(({ courierId }) => courierId),
    ],
  );
  const at = new Date();
  const messages = changes.map(({ deliveryId, orderId, userId, sequence, status }) =>
    toMessage('delivery', deliveryStatusUpdated, { deliveryId, orderId, userId, sequence, status }, at),
  );
  await insertOutbox(tx, messages);
}

/** Who assigns couriers holds this lock, so that no two look at the same free courier. */
const assignmentLock = 7_310_003;
export const lockAssignments = (tx: Tx): Promise<unknown> =>
  tx.query('select pg_advisory_xact_lock($1)', [assignmentLock]);
const batchSize = 100;

/**
 * Gives waiting deliveries to free couriers: the oldest delivery first, to who has been free longest.
 * No status changes by it, so it leaves no history. Each has so many ms for its delivery. Answers how many were given.
 */
export const assignCouriers = (database: Database, deadlineMs: number): Promise<number> =>
  database.transaction(async (tx) => {
    await lockAssignments(tx);
    // Three statements: of one, the planner does not know how many wait, and looks at all couriers for each.
    const { rows: waiting } = await tx.query<{ id: string }>(
      `select id from deliveries where courier_id is null and status = 'PENDING' order by id limit $1 for update`,
      [batchSize],
    );
    if (waiting.length === 0) return 0;
    const { rows: free } = await tx.query<{ id: string }>(
      `select id from couriers c where ${isFree('c')} order by ${byTurn('c')} limit $1`,
      [waiting.length],
    );
    const { rowCount } = await tx.query(
      `update deliveries d set courier_id = n.courier_id, deadline = now() + $3 * interval '1 ms', updated_at = now()
       from unnest($1::uuid[], $2::uuid[]) as n (id, courier_id) where d.id = n.id`,
      [waiting.slice(0, free.length).map(({ id }) => id), free.map(({ id }) => id), deadlineMs],
    );
    return rowCount;
  });

export interface MovingDelivery {
  id: string;
  orderId: string;
  userId: string;
  courierId: string;
  status: DeliveryStatus;
  sequence: number;
}

/** Takes every delivery that has stood still for `stepMs` one step further, as its courier would. Answers how many. */
export const advanceDeliveries = (database: Database, stepMs: number): Promise<number> =>
  database.transaction(async (tx) => {
    const { rows } = await tx.query<MovingDelivery>(
      `select id, order_id as "orderId", user_id as "userId", courier_id as "courierId", status, sequence
       from deliveries where courier_id is not null and ${active}
         and updated_at <= now() - $1 * interval '1 ms'
       order by updated_at limit $2 for update skip locked`,
      [stepMs, batchSize],
    );
    const changes = rows.flatMap(({ id, status: previous, sequence, ...delivery }): DecidedChange[] => {
      const status = nextStep(previous);
      if (!status) return [];
      return [
        {
          ...delivery,
          deliveryId: id,
          sequence: sequence + 1,
          previous,
          status,
          reason: null,
          by: 'courier',
        },
      ];
    });
    if (changes.length > 0) await move(tx, changes);
    return changes.length;
  });

/** Brings deliveries to where their changes lead, frees their couriers at the end, and records the changes. */
export async function move(tx: Tx, changes: DecidedChange[]): Promise<void> {
  await tx.query(
    `update deliveries d set status = n.status, sequence = n.sequence, updated_at = now()
     from unnest($1::uuid[], $2::text[], $3::int[]) as n (id, status, sequence) where d.id = n.id`,
    [
      changes.map(({ deliveryId }) => deliveryId),
      changes.map(({ status }) => status),
      changes.map(({ sequence }) => sequence),
    ],
  );
  const ended = changes.filter(({ status }) => isFinal(status));
  await tx.query(
    `update couriers set free_since = now()
     where id in (select courier_id from deliveries where id = any($1::uuid[]))`,
    [ended.map(({ deliveryId }) => deliveryId)],
  );
  await record(tx, changes);
}

/** Adds the couriers whose ids are not there yet. */
export async function ensureCouriers(
  database: Database,
  couriers: { id: string; name: string; userId: string }[],
): Promise<void> {
  await database.query(
    `insert into couriers (id, name, user_id) select * from unnest($1::uuid[], $2::text[], $3::uuid[])
     on conflict (id) do nothing`,
    [couriers.map(({ id }) => id), couriers.map(({ name }) => name), couriers.map(({ userId }) => userId)],
  );
}
