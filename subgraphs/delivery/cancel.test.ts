import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { orderCreated } from '../../events/order.js';
import { paymentCompleted } from '../../events/payment.js';
import type { Database } from '../../platform/postgres/database.js';
import { untold } from '../../test/support/couriers.js';
import { beginDelivery, dispatching, stepDelivery } from '../../test/support/deliveries.js';
import { consumerOf, eventOf, serviceDatabase } from '../../test/support/service.js';
import { assignCouriers } from './assign.js';
import { cancelDelivery } from './cancel.js';
import { consumers } from './consumers.js';
import { readDeliveryChanges } from './live-reads.js';

const request = (order: { orderId: string; userId: string }) =>
  ({ orderId: order.orderId, userId: order.userId, by: 'customer', reason: 'Changed my mind' }) as const;

/** A delivery after so many steps of its courier. */
async function delivery(database: Database, steps: number) {
  const begun = await database.transaction((tx) => beginDelivery(tx));
  for (let step = 0; step < steps; step += 1) await database.transaction((tx) => stepDelivery(tx, begun));
  return begun;
}

const historyOf = async (database: Database, orderId: string) =>
  (
    await database.query<{ status: string; by: string; reason: string | null }>(
      `select c.status, c.by, c.reason from delivery_changes c join deliveries d on d.id = c.delivery_id
       where d.order_id = $1 order by c.sequence`,
      [orderId],
    )
  ).rows;
const told = async (database: Database, orderId: string) =>
  (
    await database.query<{ status: string; delivery: string | null }>(
      `select value::json->'data'->>'status' as status, value::json->'data'->>'deliveryId' as delivery from outbox
       where value::json->'data'->>'orderId' = $1 order by id`,
      [orderId],
    )
  ).rows;
/** What makes a delivery begin, heard of in this order. */
const beginnings = (database: Database, order: { orderId: string; userId: string }) => {
  const all = consumers(database, dispatching.geography, untold);
  const payment = {
    ...order,
    paymentId: randomUUID(),
    status: 'SUCCESS',
    amountCents: 1,
    currency: 'EUR',
  } as const;
  return [
    () =>
      consumerOf(all, orderCreated).handle([
        eventOf(orderCreated, { ...order, totalCents: 1, currency: 'EUR', deliveryAddress: 'Long Lane 1' }),
      ]),
    () => consumerOf(all, paymentCompleted).handle([eventOf(paymentCompleted, payment)]),
  ];
};
const deliveriesOf = async (database: Database, orderId: string) =>
  (await database.query<{ status: string }>('select status from deliveries where order_id = $1', [orderId]))
    .rows;

describe('a delivery is called off', () => {
  test.each([
    ['while it waits', 0],
    ['while a courier has it', 1],
  ])('%s: the history says by whom and why, and its courier is free', async (_when, steps) => {
    const database = await serviceDatabase('delivery');
    const begun = await delivery(database, steps);
    const answer = await cancelDelivery(database, request(begun), dispatching.geography);
    expect(answer).toEqual({ ok: true, value: { sequence: steps + 2, courierUserId: null } });
    expect((await historyOf(database, begun.orderId)).at(-1)).toEqual({
      ...{ status: 'CANCELLED', by: 'customer', reason: 'Changed my mind' },
    });
    expect((await told(database, begun.orderId)).at(-1)).toEqual({
      ...{ status: 'CANCELLED', delivery: begun.deliveryId },
    });
    const other = { orderId: randomUUID(), userId: randomUUID() };
    for (const begin of beginnings(database, other)) await begin();
    expect(await assignCouriers(database, dispatching)).toBe(1);
  });

  test('once: a second time it changes nothing, and answers the same', async () => {
    const database = await serviceDatabase('delivery');
    const begun = await delivery(database, 1);
    const first = await cancelDelivery(database, request(begun), dispatching.geography);
    const before = await told(database, begun.orderId);
    const more = await Promise.all(
      [1, 2, 3].map(() => cancelDelivery(database, request(begun), dispatching.geography)),
    );
    expect(more).toEqual([first, first, first]);
    expect(await told(database, begun.orderId)).toEqual(before);
  });

  test.each([
    ['OUT_FOR_DELIVERY', 2],
    ['DELIVERED', 3],
  ])('not when it is %s: the refusal names both states, and nothing has changed', async (status, steps) => {
    const database = await serviceDatabase('delivery');
    const begun = await delivery(database, steps);
    expect(await cancelDelivery(database, request(begun), dispatching.geography)).toEqual({
      ok: false,
      code: 'INVALID_TRANSITION',
      message: `A delivery that is ${status} cannot become CANCELLED.`,
    });
    expect((await historyOf(database, begun.orderId)).at(-1)?.status).toBe(status);
    const { rows } = await database.query('select closed from known_orders');
    expect(rows).toEqual([{ closed: false }]);
  });
});

describe('an order that has no delivery yet is called off', () => {
  test.each([0, 1, 2])('after %i of what makes one begin, and never has one', async (before) => {
    const database = await serviceDatabase('delivery');
    const order = { orderId: randomUUID(), userId: randomUUID() };
    const begin = beginnings(database, order);
    if (before === 2) {
      // Not paid: there never would be one, and that is no news.
      await database.query(
        'insert into known_orders (order_id, user_id, paid, closed) values ($1, $2, false, true)',
        [order.orderId, order.userId],
      );
    } else for (const one of begin.slice(0, before)) await one();
    expect(await cancelDelivery(database, request(order), dispatching.geography)).toEqual({
      ok: true,
      value: { sequence: null, courierUserId: null },
    });
    expect(await cancelDelivery(database, request(order), dispatching.geography)).toEqual({
      ok: true,
      value: { sequence: null, courierUserId: null },
    });
    expect(await told(database, order.orderId)).toEqual(
      before === 2 ? [] : [{ status: 'CANCELLED', delivery: null }],
    );
    for (const one of begin) await one();
    expect(await deliveriesOf(database, order.orderId)).toEqual([]);
    expect(
      await readDeliveryChanges(database)([{ id: order.orderId, after: null, limit: 1, known: true }]),
    ).toMatchObject([{ ownerId: order.userId, changes: [], ended: true }]);
  });

  test('while it begins: either it never does, or it is CANCELLED', async () => {
    const database = await serviceDatabase('delivery');
    const orders = Array.from({ length: 20 }, () => ({ orderId: randomUUID(), userId: randomUUID() }));
    await Promise.all(
      orders.flatMap((order) => [
        ...beginnings(database, order).map((begin) => begin()),
        cancelDelivery(database, request(order), dispatching.geography),
      ]),
    );
    for (const { orderId } of orders) {
      expect([[], [{ status: 'CANCELLED' }]]).toContainEqual(await deliveriesOf(database, orderId));
      expect((await told(database, orderId)).filter(({ status }) => status === 'CANCELLED')).toHaveLength(1);
    }
  });
});
