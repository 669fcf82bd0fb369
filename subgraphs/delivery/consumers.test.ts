import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { orderCreated } from '../../events/order.js';
import { paymentCompleted } from '../../events/payment.js';
import type { Database } from '../../platform/postgres/database.js';
import { untold } from '../../test/support/couriers.js';
import { dispatching } from '../../test/support/deliveries.js';
import { consumerOf, counting, eventOf, serviceDatabase } from '../../test/support/service.js';
import { consumers } from './consumers.js';

interface Order {
  orderId: string;
  userId: string;
}
const newOrders = (count: number): Order[] =>
  Array.from({ length: count }, () => ({ orderId: randomUUID(), userId: randomUUID() }));

const created = ({ orderId, userId }: Order) =>
  eventOf(orderCreated, {
    orderId,
    userId,
    totalCents: 100,
    currency: 'EUR',
    deliveryAddress: `House ${orderId}`,
  });
const paid = ({ orderId, userId }: Order, status: 'SUCCESS' | 'INSUFFICIENT_FUNDS' = 'SUCCESS') =>
  eventOf(paymentCompleted, {
    paymentId: randomUUID(),
    orderId,
    userId,
    status,
    amountCents: 100,
    currency: 'EUR',
  });

function handlers(database: Database, closed: (orderId: string) => void = () => undefined) {
  const all = consumers(database, dispatching.geography, { ...untold, closed });
  return { orders: consumerOf(all, orderCreated).handle, payments: consumerOf(all, paymentCompleted).handle };
}

async function stored(database: Database) {
  const { rows: deliveries } = await database.query<
    Order & { address: string; status: string; sequence: number }
  >(
    'select order_id as "orderId", user_id as "userId", address, status, sequence from deliveries order by order_id',
  );
  const { rows: changes } = await database.query('select delivery_id from delivery_changes');
  const { rows: outbox } = await database.query<{ topic: string; key: string }>(
    'select topic, key from outbox',
  );
  return { deliveries, changes: changes.length, outbox };
}

const begun = ({ orderId, userId }: Order) => ({
  orderId,
  userId,
  address: `House ${orderId}`,
  status: 'PENDING',
  sequence: 1,
});
const byId = (a: Order, b: Order) => (a.orderId < b.orderId ? -1 : 1);

describe('a delivery begins once, PENDING, with one change and one event', () => {
  const [first, second] = ['order.created', 'payment.completed'];
  test.each([
    [first, second],
    [second, first],
  ])('when %s comes before %s', async (topic) => {
    const database = await serviceDatabase('delivery');
    const { orders, payments } = handlers(database);
    const [order] = newOrders(1) as [Order];
    const steps = [() => orders([created(order)]), () => payments([paid(order)])];
    if (topic !== first) steps.reverse();
    await steps[0]?.();
    expect((await stored(database)).deliveries).toEqual([]);
    await steps[1]?.();
    expect(await stored(database)).toEqual({
      deliveries: [begun(order)],
      changes: 1,
      outbox: [{ topic: 'delivery.status.updated', key: order.userId }],
    });
  });

  test('when every event comes many times, in one batch and in several, under one id and under others', async () => {
    const database = await serviceDatabase('delivery');
    const { orders, payments } = handlers(database);
    const [order] = newOrders(1) as [Order];
    const [order1, payment1] = [created(order), paid(order)];
    await orders([order1, order1, created(order)]);
    await payments([payment1, paid(order), payment1]);
    await orders([order1, created(order)]);
    await payments([payment1]);
    await payments([paid(order)]);
    expect(await stored(database)).toMatchObject({
      deliveries: [begun(order)],
      changes: 1,
      outbox: { length: 1 },
    });
  });
});

test('an order that was not paid is never delivered, and its watchers are told', async () => {
  const database = await serviceDatabase('delivery');
  const told: string[] = [];
  const { orders, payments } = handlers(database, (orderId) => told.push(orderId));
  const [poor, rich] = newOrders(2) as [Order, Order];
  await payments([paid(poor, 'INSUFFICIENT_FUNDS'), paid(rich)]);
  await orders([created(poor), created(rich)]);
  expect((await stored(database)).deliveries).toEqual([begun(rich)]);
  expect(told).toEqual([poor.orderId]);
  const { rows } = await database.query('select closed from known_orders where order_id = $1', [
    poor.orderId,
  ]);
  expect(rows).toEqual([{ closed: true }]);
});

test('a batch takes the same number of statements whatever it holds', async () => {
  const database = await serviceDatabase('delivery');
  const runs = [];
  for (const size of [1, 10, 100]) {
    const orders = newOrders(size);
    const counted = counting(database);
    await handlers(counted.database).orders(orders.map(created));
    const afterOrders = counted.count();
    await handlers(counted.database).payments(orders.map((order) => paid(order)));
    runs.push([afterOrders, counted.count() - afterOrders]);
  }
  expect(runs).toEqual([
    [2, 5],
    [2, 5],
    [2, 5],
  ]);
  expect((await stored(database)).deliveries).toHaveLength(111);
});

test('batches of the same orders that are handled at once wait for each other without deadlock, and leave one delivery each', async () => {
  const database = await serviceDatabase('delivery');
  const replicas = [handlers(database), handlers(database)];
  const orders = newOrders(60);
  const createdEvents = orders.map(created);
  const paidEvents = orders.map((order) => paid(order));
  await Promise.all(
    replicas.flatMap(({ orders: onOrders, payments }, replica) => [
      onOrders(replica === 0 ? createdEvents : createdEvents.toReversed()),
      payments(replica === 0 ? paidEvents.toReversed() : paidEvents),
      onOrders(orders.toReversed().map(created)),
      payments(orders.map((order) => paid(order))),
    ]),
  );
  const { deliveries, changes, outbox } = await stored(database);
  expect(deliveries).toEqual(orders.toSorted(byId).map(begun));
  expect([changes, outbox.length]).toEqual([60, 60]);
});

test('a batch that fails leaves nothing behind, and is handled when it comes again', async () => {
  const database = await serviceDatabase('delivery');
  const { orders, payments } = handlers(database);
  const [good, bad] = newOrders(2) as [Order, Order];
  await payments([paid(good), paid(bad)]);
  await database.query(`alter table deliveries add constraint poison check (user_id <> '${bad.userId}')`);
  const batch = [created(good), created(bad)];
  await expect(orders(batch)).rejects.toMatchObject({ constraint: 'poison' });
  expect(await stored(database)).toMatchObject({ deliveries: [], changes: 0, outbox: [] });
  await database.query('alter table deliveries drop constraint poison');
  await orders(batch);
  expect((await stored(database)).deliveries).toHaveLength(2);
});
