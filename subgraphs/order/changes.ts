import { orderCancelled, orderUpdated } from '../../events/order.js';
import { toMessage } from '../../platform/bus/event.js';
import { insertOutbox } from '../../platform/outbox.js';
import type { Tx } from '../../platform/postgres/database.js';
import { evolve, type Fact, type OrderState } from './domain.js';

interface LockedOrder extends OrderState {
  id: string;
  userId: string;
  sequence: number;
}

/** Applies facts to their orders, in order: a fixed number of statements, however many there are. */
export async function learn(tx: Tx, facts: { orderId: string; fact: Fact }[]): Promise<void> {
  const { rows } = await tx.query<LockedOrder>(
    `select id, user_id as "userId", status, delivery_status as "deliveryStatus",
       delivery_sequence as "deliverySequence", courier_user_id as "courierUserId", sequence
     from orders where id = any($1::uuid[]) order by id for update`,
    [[...new Set(facts.map(({ orderId }) => orderId))]],
  );
  const orders = new Map(rows.map((order) => [order.id, order]));
  const changes: LockedOrder[] = [];
  for (const { orderId, fact } of facts) {
    let order = orders.get(orderId);
    if (!order) throw new Error(`order ${orderId} is unknown`);
    for (const state of evolve(order, fact)) {
      order = { ...order, ...state, sequence: order.sequence + 1 };
      changes.push(order);
    }
    orders.set(orderId, order);
  }
  if (changes.length > 0) await write(tx, changes);
}

/** Locks the feeds of the orders' users, in the order of their ids: after the orders, so that no two batches wait for each other. */
async function write(tx: Tx, changes: LockedOrder[]): Promise<void> {
  await tx.query(
    `with change as (
       select *, row_number() over (partition by user_id order by place desc) as nth_last
       from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::uuid[]) with ordinality
         as c (order_id, sequence, status, delivery_status, user_id, place)
     ), feed as (
       insert into order_feeds as f (user_id, sequence)
       select user_id, count(*) from change group by user_id order by user_id
       on conflict (user_id) do update set sequence = f.sequence + excluded.sequence
       returning user_id, sequence
     )
     insert into order_changes (order_id, sequence, status, delivery_status, user_id, user_sequence)
     select order_id, c.sequence, status, delivery_status, user_id, feed.sequence + 1 - nth_last
     from change c join feed using (user_id)`,
    [
      changes.map(({ id }) => id),
      changes.map(({ sequence }) => sequence),
      changes.map(({ status }) => status),
      changes.map(({ deliveryStatus }) => deliveryStatus),
      changes.map(({ userId }) => userId),
    ],
  );
  const last = [...new Map(changes.map((order) => [order.id, order])).values()];
  await tx.query(
    `update orders o set status = n.status, delivery_status = n.delivery_status,
       delivery_sequence = n.delivery_sequence, courier_user_id = n.courier_user_id, sequence = n.sequence,
       updated_at = now()
     from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::int[], $6::uuid[])
       as n (id, status, delivery_status, delivery_sequence, sequence, courier_user_id)
     where o.id = n.id`,
    [
      last.map(({ id }) => id),
      last.map(({ status }) => status),
      last.map(({ deliveryStatus }) => deliveryStatus),
      last.map(({ deliverySequence }) => deliverySequence),
      last.map(({ sequence }) => sequence),
      last.map(({ courierUserId }) => courierUserId),
    ],
  );
  const at = new Date();
  const messages = changes.flatMap(({ id: orderId, userId, sequence, status }) => [
    toMessage('order', orderUpdated, { orderId, userId, sequence, status }, at),
    // Nothing follows it: each order is told of once.
    ...(status === 'CANCELLED' ? [toMessage('order', orderCancelled, { orderId, userId }, at)] : []),
  ]);
  await insertOutbox(tx, messages);
}
