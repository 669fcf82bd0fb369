import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type DeliveryStatus, deliveryStatusUpdated } from '../../events/delivery.js';
import { paymentCompleted } from '../../events/payment.js';
import { unwrap } from '../../platform/errors.js';
import type { Database } from '../../platform/postgres/database.js';
import { consumerOf, counting, eventOf, serviceDatabase } from '../../test/support/service.js';
import { orderCommands } from './commands.js';
import { consumers } from './consumers.js';
import { PrismaClient } from './generated/prisma/client.js';

interface Order {
  orderId: string;
  userId: string;
}

/** Places so many orders, each of a user of its own, and forgets their events. */
async function placed(database: Database, count: number): Promise<Order[]> {
  const prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  onTestFinished(() => prisma.$disconnect());
  const commands = orderCommands(database, prisma);
  const productId = randomUUID();
  await commands.ensureProducts([{ id: productId, name: 'Soup', description: 'Hot', priceCents: 650 }]);
  const items = [{ productId, quantity: 1, price: '6.50' }];
  const orders: Order[] = [];
  for (let index = 0; index < count; index += 1) {
    const userId = randomUUID();
    orders.push({
      userId,
      orderId: unwrap(await commands.createOrder(userId, { items, deliveryAddress: 'Long Lane 1' })),
    });
  }
  await database.query('delete from outbox');
  return orders;
}

const paid = (order: Order, status: 'SUCCESS' | 'INSUFFICIENT_FUNDS' = 'SUCCESS') =>
  eventOf(paymentCompleted, { ...order, paymentId: randomUUID(), status, amountCents: 650, currency: 'EUR' });
const way: DeliveryStatus[] = ['PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED'];
const moved = (order: Order, sequence: number) =>
  eventOf(deliveryStatusUpdated, {
    ...order,
    deliveryId: randomUUID(),
    sequence,
    status: way[sequence - 1] as DeliveryStatus,
  });
const wholeWay = (order: Order) => way.map((_, index) => moved(order, index + 1));

function handlers(database: Database) {
  const all = consumers(database);
  return {
    payments: consumerOf(all, paymentCompleted).handle,
    deliveries: consumerOf(all, deliveryStatusUpdated).handle,
  };
}

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
