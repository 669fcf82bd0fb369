import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { deliveryStatusUpdated } from '../../events/delivery.js';
import type { Database } from '../../platform/postgres/database.js';
import {
  handlers,
  moved,
  type Order,
  orderPlacer,
  paid,
  placed,
  way,
  wholeWay,
} from '../../test/support/order-events.js';
import { counting, eventOf, serviceDatabase } from '../../test/support/service.js';

/** What an order has been through: `PAID/IN_TRANSIT` and so on, and the statuses that its events told. */
async function history(
  database: Database,
  { orderId }: Order,
): Promise<{ changes: string[]; events: string[] }> {
  const { rows } = await database.query<{ change: string }>(
    `select concat_ws('/', status, delivery_status) as change from order_changes where order_id = $1 order by sequence`,
    [orderId],
  );
  const { rows: events } = await database.query<{ status: string }>(
    `select value::json->'data'->>'status' as status from outbox where value::json->'data'->>'orderId' = $1 order by id`,
    [orderId],
  );
  return { changes: rows.map(({ change }) => change), events: events.map(({ status }) => status) };
}

const usual = [
  'PENDING',
  'PAID',
  'PAID/PENDING',
  'PAID/IN_TRANSIT',
  'PAID/OUT_FOR_DELIVERY',
  'COMPLETED/DELIVERED',
];

describe('an order learns', () => {
  test('of its payment and then of each step of its delivery, with a change and an event each', async () => {
    const database = await serviceDatabase('order');
    const [order] = (await placed(database, 1)) as [Order];
    const { payments, deliveries } = handlers(database);
    await payments([paid(order)]);
    for (const event of wholeWay(order)) await deliveries([event]);
    expect(await history(database, order)).toEqual({
      changes: usual,
      events: ['PAID', 'PAID', 'PAID', 'PAID', 'COMPLETED'],
    });
  });

  test('of its delivery before its payment, and completes all the same', async () => {
    const database = await serviceDatabase('order');
    const [order] = (await placed(database, 1)) as [Order];
    const { payments, deliveries } = handlers(database);
    await deliveries(wholeWay(order));
    await payments([paid(order)]);
    const { changes, events } = await history(database, order);
    expect(changes).toEqual([
      'PENDING',
      ...way.map((status) => `PENDING/${status}`),
      'PAID/DELIVERED',
      'COMPLETED/DELIVERED',
    ]);
    expect(events).toEqual([...way.map(() => 'PENDING'), 'PAID', 'COMPLETED']);
  });

  test('each only once, and nothing from old news', async () => {
    const database = await serviceDatabase('order');
    const [order] = (await placed(database, 1)) as [Order];
    const { payments, deliveries } = handlers(database);
    const payment = paid(order);
    await payments([payment, payment, paid(order)]);
    const events = wholeWay(order);
    await deliveries([...events.slice(0, 3), ...events.slice(0, 3), moved(order, 1)]);
    await deliveries([moved(order, 2), ...events, moved(order, 4)]);
    await payments([payment, paid(order, 'INSUFFICIENT_FUNDS')]);
    expect((await history(database, order)).changes).toEqual(usual);
  });

  test('that it was not paid, and nothing more', async () => {
    const database = await serviceDatabase('order');
    const [order] = (await placed(database, 1)) as [Order];
    const { payments, deliveries } = handlers(database);
    await payments([paid(order, 'INSUFFICIENT_FUNDS'), paid(order)]);
    await deliveries(wholeWay(order));
    expect(await history(database, order)).toEqual({
      changes: ['PENDING', 'INSUFFICIENT_FUNDS'],
      events: ['INSUFFICIENT_FUNDS'],
    });
  });
});

describe('an order that was called off', () => {
  const cancelled = (order: Order, deliveryId: string | null, sequence: number) =>
    eventOf(deliveryStatusUpdated, { ...order, deliveryId, sequence, status: 'CANCELLED' });
  const toldOf = async (database: Database) =>
    (
      await database.query<{ orderId: string }>(
        `select value::json->'data'->>'orderId' as "orderId" from outbox where topic = 'order.cancelled' order by id`,
      )
    ).rows.map(({ orderId }) => orderId);

  test('is CANCELLED, and that is told once, however often and in whatever order the news come', async () => {
    const database = await serviceDatabase('order');
    const [waiting, moving] = (await placed(database, 2)) as [Order, Order];
    const { payments, deliveries } = handlers(database);
    await deliveries([cancelled(waiting, null, 1), moved(moving, 1), cancelled(moving, randomUUID(), 2)]);
    await payments([paid(waiting), paid(moving)]);
    await deliveries([cancelled(moving, randomUUID(), 2), cancelled(waiting, null, 1), moved(moving, 2)]);
    expect((await history(database, waiting)).changes).toEqual(['PENDING', 'CANCELLED']);
    expect((await history(database, moving)).changes).toEqual([
      ...['PENDING', 'PENDING/PENDING', 'CANCELLED/CANCELLED'],
    ]);
    expect(await toldOf(database)).toEqual([waiting.orderId, moving.orderId]);
  });
});

test('a batch takes the same number of statements whatever it holds', async () => {
  const database = await serviceDatabase('order');
  const runs = [];
  for (const size of [1, 10, 50]) {
    const orders = await placed(database, size);
    const counted = counting(database);
    const { payments, deliveries } = handlers(counted.database);
    await payments(orders.map((order) => paid(order)));
    const afterPayments = counted.count();
    await deliveries(orders.flatMap(wholeWay));
    runs.push([afterPayments, counted.count() - afterPayments]);
  }
  expect(runs).toEqual([
    [5, 5],
    [5, 5],
    [5, 5],
  ]);
});

test('batches of the same orders at once, in any order, wait for each other without deadlock', async () => {
  const database = await serviceDatabase('order');
  const orders = await placed(database, 30);
  const { payments, deliveries } = handlers(database);
  const paidEvents = orders.map((order) => paid(order));
  const movedEvents = orders.flatMap(wholeWay);
  await Promise.all([
    payments(paidEvents),
    payments(paidEvents.toReversed()),
    payments(orders.toReversed().map((order) => paid(order))),
    deliveries(movedEvents),
    deliveries(orders.toReversed().flatMap(wholeWay)),
    deliveries(orders.toSorted(() => Math.random() - 0.5).flatMap(wholeWay)),
  ]);
  const { rows } = await database.query(
    'select status, delivery_status, sequence, count(*)::int as orders from orders group by 1, 2, 3',
  );
  const sequences = rows.map(({ sequence }) => sequence);
  // Which came first decides whether an order was seen COMPLETED at once or after PAID.
  for (const sequence of sequences) expect([6, 7]).toContain(sequence);
  for (const row of rows) expect(row).toMatchObject({ status: 'COMPLETED', delivery_status: 'DELIVERED' });
  expect(rows.reduce((sum, { orders: count }) => sum + Number(count), 0)).toBe(30);
});

test('batches of the orders of the same few users, and new orders of theirs, leave feeds without holes, and no deadlock', async () => {
  const database = await serviceDatabase('order');
  const users = [randomUUID(), randomUUID(), randomUUID()];
  const orders = await placed(database, 30, users);
  const place = await orderPlacer(database);
  const { payments, deliveries } = handlers(database);
  const shuffled = () => orders.toSorted(() => Math.random() - 0.5);
  await Promise.all([
    payments(shuffled().map((order) => paid(order))),
    payments(shuffled().map((order) => paid(order))),
    ...[1, 2, 3].map(() => deliveries(shuffled().flatMap(wholeWay))),
    ...users.flatMap((user) => [place(user), place(user)]),
  ]);
  const { rows: feeds } = await database.query<{ user: string; numbers: number[]; last: number }>(
    `select f.user_id as "user", array_agg(user_sequence order by user_sequence) as numbers, f.sequence as last
     from order_feeds f join order_changes c using (user_id) group by f.user_id`,
  );
  expect(feeds.map(({ user }) => user).toSorted()).toEqual(users.toSorted());
  for (const { numbers, last } of feeds)
    expect(numbers).toEqual(Array.from({ length: last }, (_, index) => index + 1));
  // In a feed, each order's changes stand in their own order.
  const { rows: astray } = await database.query(
    `select from order_changes a join order_changes b using (order_id)
     where a.sequence < b.sequence and a.user_sequence > b.user_sequence`,
  );
  expect(astray).toEqual([]);
});

test('news of an unknown order fails the batch, which leaves nothing behind', async () => {
  const database = await serviceDatabase('order');
  const [order] = (await placed(database, 1)) as [Order];
  const { payments } = handlers(database);
  const good = paid(order);
  await expect(payments([good, paid({ orderId: randomUUID(), userId: randomUUID() })])).rejects.toThrow(
    'is unknown',
  );
  expect((await history(database, order)).changes).toEqual(['PENDING']);
  await payments([good]);
  expect((await history(database, order)).changes).toEqual(['PENDING', 'PAID']);
});
