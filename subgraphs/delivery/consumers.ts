import { orderCreated, orderErased } from '../../events/order.js';
import { paymentCompleted } from '../../events/payment.js';
import { userDeleted, userUpdated } from '../../events/user.js';
import { userNewsConsumers } from '../../platform/auth/user-news.js';
import type { AnyConsumer } from '../../platform/bus/bus.js';
import { inboxConsumer } from '../../platform/inbox.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { erased } from '../../platform/text.js';
import { record } from './changes.js';
import { canBegin, type KnownOrder } from './domain.js';
import type { Geography } from './geography.js';
import { learnUsers } from './users.js';

const group = 'delivery';

interface Told {
  /** An order will not be delivered. */
  closed(orderId: string): void;
  /** A delivery may have been taken off its courier. */
  freed(): void;
}

/** What the delivery service does when events arrive. */
export const consumers = (database: Database, geography: Geography, told: Told): AnyConsumer[] => [
  inboxConsumer({
    database,
    group,
    contract: orderCreated,
    handle: (tx, events) =>
      learn(
        tx,
        events.map(({ data: { orderId, userId, deliveryAddress } }) => ({
          orderId,
          userId,
          address: deliveryAddress,
          paid: null,
        })),
      ),
  }),
  inboxConsumer({
    database,
    group,
    contract: paymentCompleted,
    handle: (tx, events) =>
      learn(
        tx,
        events.map(({ data: { orderId, userId, status } }) => ({
          orderId,
          userId,
          address: null,
          paid: status === 'SUCCESS',
        })),
      ),
    committed(events) {
      for (const { data } of events) if (data.status !== 'SUCCESS') told.closed(data.orderId);
    },
  }),
  inboxConsumer({
    database,
    group,
    contract: orderErased,
    handle: (tx, events) =>
      eraseOrders(
        tx,
        events.map(({ data }) => data),
      ),
  }),
  ...userNewsConsumers({
    ...{ database, group, updated: userUpdated, deleted: userDeleted },
    learn: (tx, news) => learnUsers(tx, news, geography),
    committed: told.freed,
  }),
];

/**
 * Erases what was personal in orders that can no longer change. One whose own event has not come yet keeps a stone that
 * says so: the address that comes with it is not taken.
 */
async function eraseOrders(tx: Tx, orders: { orderId: string; userId: string }[]): Promise<void> {
  const userOf = new Map(orders.map(({ orderId, userId }) => [orderId, userId]));
  const ids = [...userOf.keys()];
  await tx.query(
    `insert into known_orders (order_id, user_id, address, closed)
     select *, $3, true from unnest($1::uuid[], $2::uuid[]) as n (order_id, user_id) order by order_id
     on conflict (order_id) do update set address = excluded.address, closed = true`,
    [ids, [...userOf.values()], erased],
  );
  await tx.query('update deliveries set address = $2 where order_id = any($1::uuid[])', [ids, erased]);
  await tx.query(
    `update delivery_changes c set reason = null from deliveries d
     where d.order_id = any($1::uuid[]) and c.delivery_id = d.id and c.by = 'customer' and c.reason is not null`,
    [ids],
  );
}

const learn = async (tx: Tx, news: News[]): Promise<void> => begin(tx, await remember(tx, news));

/** What one event tells about an order; null is what it does not tell. */
type News = Pick<KnownOrder, 'orderId' | 'userId' | 'address' | 'paid'>;

/**
 * Adds news to what is known, and answers all that is known then. The rows stay locked, so that of two
 * events of one order, handled at once, the second sees both; in the order of ids, so that no two
 * batches wait for each other.
 */
async function remember(tx: Tx, news: News[]): Promise<KnownOrder[]> {
  // One order can stand here twice, which one statement would refuse.
  const distinct = [...new Map(news.map((one) => [one.orderId, one])).values()];
  const { rows } = await tx.query<KnownOrder>(
    `insert into known_orders as k (order_id, user_id, address, paid, closed)
     select *, paid is false from unnest($1::uuid[], $2::uuid[], $3::text[], $4::boolean[])
       as n (order_id, user_id, address, paid) order by order_id
     on conflict (order_id) do update set
       address = coalesce(k.address, excluded.address),
       paid = coalesce(k.paid, excluded.paid),
       closed = k.closed or excluded.closed
     returning order_id as "orderId", user_id as "userId", address, paid, closed`,
    [
      distinct.map(({ orderId }) => orderId),
      distinct.map(({ userId }) => userId),
      distinct.map(({ address }) => address),
      distinct.map(({ paid }) => paid),
    ],
  );
  return rows;
}

/** Begins the deliveries that can; an order that has one is left alone. */
async function begin(tx: Tx, known: KnownOrder[]): Promise<void> {
  const ready = known.filter(canBegin);
  if (ready.length === 0) return;
  const { rows } = await tx.query<{ deliveryId: string; orderId: string; userId: string }>(
    `insert into deliveries (order_id, user_id, address, status)
     select *, 'PENDING' from unnest($1::uuid[], $2::uuid[], $3::text[])
     on conflict (order_id) do nothing
     returning id as "deliveryId", order_id as "orderId", user_id as "userId"`,
    [
      ready.map(({ orderId }) => orderId),
      ready.map(({ userId }) => userId),
      ready.map(({ address }) => address),
    ],
  );
  const first = {
    sequence: 1,
    previous: null,
    status: 'PENDING',
    reason: null,
    by: 'system',
    courierId: null,
    courierUserId: null,
  } as const;
  await record(
    tx,
    rows.map((row) => ({ ...row, ...first })),
  );
}
