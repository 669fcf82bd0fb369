import { deliveryStatusUpdated } from '../../events/delivery.js';
import { toMessage } from '../../platform/bus/event.js';
import { insertOutbox } from '../../platform/outbox.js';
import type { Tx } from '../../platform/postgres/database.js';
import { type DeliveryState, isFinal, type Transport } from './domain.js';
import { type Geography, secondsToDoor } from './geography.js';
import type { DeliveryChangeRow } from './rows.js';
import { freshLatitude, freshLongitude } from './sql.js';

/** A delivery that is locked, with its courier. */
export interface LockedDelivery extends DeliveryState {
  id: string;
  orderId: string;
  userId: string;
  address: string;
  sequence: number;
  courier: Courier | null;
  /** The courier that it was taken off last. */
  lastCourierId: string | null;
}

/** What a courier is on the way with; where it is as far as that is known. */
export interface Courier {
  /** The account that acts for it. */
  userId: string | null;
  transport: Transport;
  latitude: number | null;
  longitude: number | null;
}

/**
 * Reads deliveries `d` and locks them, until the transaction ends; `rest` is what follows `from`. Who waits for a lock
 * sees the delivery as it is then: a courier that was joined would still be the one before.
 */
export async function lockDeliveries(
  tx: Tx,
  rest: string,
  values: unknown[],
  waiting: '' | 'skip locked' = '',
): Promise<LockedDelivery[]> {
  const { rows } = await tx.query<LockedDelivery>(
    `select d.id, d.order_id as "orderId", d.user_id as "userId", d.courier_id as "courierId", d.status, d.sequence,
       d.attempts, d.address, d.last_courier_id as "lastCourierId", (
         select json_build_object('userId', k.user_id, 'transport', k.transport,
           'latitude', ${freshLatitude('k')}, 'longitude', ${freshLongitude('k')})
         from couriers k where k.id = d.courier_id) as courier
     from deliveries d ${rest} for update of d ${waiting}`,
    values,
  );
  return rows;
}

/** Seconds until a delivery of this status is at its door, if this courier brings it; null where nothing new can be said. */
export const estimate = (
  { status, address }: Pick<LockedDelivery, 'status' | 'address'>,
  { transport, latitude, longitude }: Omit<Courier, 'userId'>,
  geography: Geography,
): number | null => {
  const at = latitude === null || longitude === null ? null : { latitude, longitude };
  return secondsToDoor({ status, address, transport, at }, geography);
};

/** What was decided about a delivery: how it stands now, why, and by whom. */
export interface Decision {
  delivery: LockedDelivery;
  after: DeliveryState;
  reason: string | null;
  by: DeliveryChangeRow['by'];
}

/**
 * Brings deliveries, each once, to where decisions lead: four statements at most, however many there are. A courier that
 * is done with one is free, and last in turn. Where the status is another one, history and events say so.
 */
export async function apply(tx: Tx, decisions: Decision[], geography: Geography): Promise<void> {
  if (decisions.length === 0) return;
  const decided = decisions.map(({ delivery, after, reason, by }) => ({
    ...{ delivery, after, reason, by },
    isMoved: after.status !== delivery.status,
    sequence: delivery.sequence + Number(after.status !== delivery.status),
  }));
  await tx.query(
    `update deliveries d set status = n.status, sequence = n.sequence, attempts = n.attempts, courier_id = n.courier_id,
       deadline = case when n.courier_id is not null then d.deadline end,
       last_courier_id = case when n.courier_id is null then coalesce(d.courier_id, d.last_courier_id)
         else d.last_courier_id end,
       estimated_at = case when n.courier_id is not null
         then coalesce(now() + n.seconds * interval '1 s', d.estimated_at) end,
       updated_at = now()
     from unnest($1::uuid[], $2::text[], $3::int[], $4::int[], $5::uuid[], $6::float8[])
       as n (id, status, sequence, attempts, courier_id, seconds) where d.id = n.id`,
    [
      decided.map(({ delivery }) => delivery.id),
      decided.map(({ after }) => after.status),
      decided.map(({ sequence }) => sequence),
      decided.map(({ after }) => after.attempts),
      decided.map(({ after }) => after.courierId),
      decided.map(
        ({ delivery: { address, courier }, after: { status } }) =>
          courier && estimate({ address, status }, courier, geography),
      ),
    ],
  );
  const freed = decided.flatMap(({ delivery: { courierId }, after }) =>
    courierId !== null && (after.courierId === null || isFinal(after.status)) ? [courierId] : [],
  );
  if (freed.length > 0)
    await tx.query('update couriers set free_since = now() where id = any($1::uuid[])', [freed]);
  await record(
    tx,
    decided.flatMap(({ delivery, after, sequence, isMoved, reason, by }): DecidedChange[] => {
      if (!isMoved) return [];
      const { id: deliveryId, orderId, userId, courierId, status: previous } = delivery;
      const courierUserId = after.courierId === null ? null : (delivery.courier?.userId ?? null);
      const { status } = after;
      return [
        { deliveryId, orderId, userId, courierId, courierUserId, sequence, previous, status, reason, by },
      ];
    }),
  );
}

/** A change of a delivery that has been decided; `sequence` and `status` are those after it, the courier is whose it was. */
export type DecidedChange = Omit<DeliveryChangeRow, 'at' | 'feed'> & {
  courierId: string | null;
  /** The account of the courier that has it after the change. */
  courierUserId: string | null;
};

/**
 * Writes the history and the events of changes, in the transaction that makes them: two statements. Where its own
 * transaction is older than that of the change before it, a change takes that one's place in the feed of all: each
 * delivery's changes stand there in their order.
 */
export async function record(tx: Tx, changes: DecidedChange[]): Promise<void> {
  if (changes.length === 0) return;
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
  await insertOutbox(
    tx,
    changes.map(({ deliveryId, orderId, userId, courierUserId, sequence, status }) =>
      toMessage(
        'delivery',
        deliveryStatusUpdated,
        { deliveryId, orderId, userId, courierUserId, sequence, status },
        at,
      ),
    ),
  );
}
