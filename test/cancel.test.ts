import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cancellation } from '../events/cancellation.js';
import { until } from '../platform/testing/until.js';
import type { Customer } from './support/client.js';
import { type Dispatch, dispatchOf, type TestCourier, wayToTheDoor } from './support/dispatch.js';
import { realBus } from './support/real-bus.js';
import { type System, startSystem } from './support/system.js';
import {
  chargeWaits,
  expectAccount,
  expectSeen,
  type Feed,
  holdAllCharges,
  holdCharges,
  placeHeld,
  placeWatched,
  rich,
  type SeenChange,
  type Watched,
  watchAll,
} from './support/watched.js';

/** Couriers are sent at once; deliveries move when a test moves them. */
let system: System;
let dispatch: Dispatch;
let feed: Feed;
const bus = realBus();
beforeAll(async () => {
  system = await startSystem({ ...bus.env(), DELIVERY_SIMULATION: 'off' });
  dispatch = dispatchOf(system);
  feed = watchAll(system);
});
afterAll(async () => {
  feed?.close();
  await system?.stop();
});

const cancel = (orderId: string, token: string, reason: string | null = null) =>
  dispatch.cancel(orderId, token, reason);

/** An order whose delivery has been taken so many steps further by its courier. */
async function moved(steps: number): Promise<Watched & { courier: TestCourier }> {
  const order = await placeWatched(system);
  const courier = await dispatch.given(order.id);
  await dispatch.moveAlong(order.id, wayToTheDoor.slice(0, steps), courier.token);
  return { ...order, courier };
}
/** What is seen of a delivery that has gone so many steps. */
const gone = (steps: number): SeenChange[] => [
  ['PENDING', 'system', null],
  ...wayToTheDoor.slice(0, steps).map((status): SeenChange => [status, 'courier', null]),
];

const read = async (orderId: string, fields: string, { token }: Customer) =>
  (
    await system.ask<{ order: Record<string, unknown> }>(
      `query ($id: ID!) { order(id: $id) { ${fields} } }`,
      { id: orderId },
      token,
    )
  ).order;
const isFree = ({ id }: TestCourier) =>
  until('its courier is free', async () => (await dispatch.couriers()).get(id) === 'AVAILABLE');
/** How many events payment has handled. */
const handled = async () =>
  (
    await system.sql<{ count: number }>(
      'payment',
      `select count(*)::int from inbox where group_name = 'payment'`,
    )
  )[0]?.count ?? 0;
const refunded = ['TOP_UP', 'CHARGE', 'REFUND'];

describe('an order is called off by its customer', () => {
  test('before it is charged: nothing is ever taken, and who watches sees the end', async () => {
    const customer = await rich(system);
    const before = await handled();
    const order = await placeHeld(system, customer, () => holdAllCharges(system));
    const payments = system.subscribe(
      'subscription ($id: ID!) { paymentCompleted(orderId: $id) { status } }',
      { id: order.id },
      customer.token,
    );
    expect((await cancel(order.id, customer.token)).data).toEqual({
      cancelOrder: { id: order.id, status: 'CANCELLED', deliveryStatus: null },
    });
    await expectSeen(order, { orders: ['PENDING', 'CANCELLED'], deliveries: [] }, feed);
    expect(await payments.ended).toMatchObject({ complete: true });
    expect(payments.messages).toEqual([]);
    await chargeWaits(system);
    await order.release();
    await until('payment has heard of both', async () => (await handled()) >= before + 2);
    await expectAccount(system, customer, '500.00', ['TOP_UP']);
  });

  test('while it is charged: what is taken is given back', async () => {
    const customer = await rich(system);
    const order = await placeHeld(system, customer);
    await chargeWaits(system);
    expect((await cancel(order.id, customer.token)).data).toEqual({
      cancelOrder: { id: order.id, status: 'CANCELLED', deliveryStatus: null },
    });
    await order.release();
    await expectSeen(order, { orders: ['PENDING', 'CANCELLED'], deliveries: [] }, feed);
    await expectAccount(system, customer, '500.00', refunded);
  });

  test('while no courier is free: it is refunded, and nobody is sent', async () => {
    const couriers = [...(await dispatch.couriers()).keys()];
    await dispatch.setDuty(couriers, 'OFFLINE');
    const order = await placeWatched(system);
    expect((await cancel(order.id, order.customer.token)).data).toEqual({
      cancelOrder: { id: order.id, status: 'CANCELLED', deliveryStatus: 'CANCELLED' },
    });
    await dispatch.setDuty(couriers, 'AVAILABLE');
    const deliveries: SeenChange[] = [...gone(0), ['CANCELLED', 'customer', null]];
    await expectSeen(order, { orders: ['PENDING', 'PAID', 'CANCELLED'], deliveries }, feed);
    await expectAccount(system, order.customer, '500.00', refunded);
    expect(await dispatch.courierOf(order.id)).toBeUndefined();
  });

  test.each([
    ['PENDING', 0],
    ['IN_TRANSIT', 1],
  ])('while its delivery is %s: it is refunded, and its courier is free', async (_status, steps) => {
    const { courier, ...order } = await moved(steps);
    const { id, customer } = order;
    expect((await cancel(id, customer.token, ' Too late ')).data).toEqual({
      cancelOrder: { id, status: 'CANCELLED', deliveryStatus: 'CANCELLED' },
    });
    const deliveries: SeenChange[] = [...gone(steps), ['CANCELLED', 'customer', 'Too late']];
    await expectSeen(order, { orders: ['PENDING', 'PAID', 'CANCELLED'], deliveries }, feed);
    await expectAccount(system, customer, '500.00', refunded);
    const { payment } = await read(id, 'payment { status refundedAt }', customer);
    expect(payment).toEqual({ status: 'REFUNDED', refundedAt: expect.any(String) });
    await isFree(courier);
  });

  test('again and again: each answer is the same, and it is refunded once', async () => {
    const { courier, ...order } = await moved(0);
    const { id, customer } = order;
    const answers = await Promise.all(Array.from({ length: 10 }, () => cancel(id, customer.token)));
    for (const { data, errors } of answers)
      expect([data, errors]).toEqual([
        { cancelOrder: { id, status: 'CANCELLED', deliveryStatus: 'CANCELLED' } },
        [],
      ]);
    const deliveries: SeenChange[] = [...gone(0), ['CANCELLED', 'customer', null]];
    await expectSeen(order, { orders: ['PENDING', 'PAID', 'CANCELLED'], deliveries }, feed);
    await expectAccount(system, customer, '500.00', refunded);
    await isFree(courier);
  });

  test.each([
    ['OUT_FOR_DELIVERY', 2],
    ['DELIVERED', 3],
  ])('not when it is %s', async (_status, steps) => {
    const { courier, ...order } = await moved(steps);
    const { data, errors } = await cancel(order.id, order.customer.token);
    expect(data).toBeNull();
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/ that is \w+ cannot become CANCELLED\.$/),
        extensions: { code: 'INVALID_TRANSITION' },
      },
    ]);
    // It goes on as if nobody had asked.
    await dispatch.moveAlong(order.id, wayToTheDoor.slice(steps), courier.token);
    await expectSeen(order, { orders: ['PENDING', 'PAID', 'COMPLETED'], deliveries: gone(3) }, feed);
    await expectAccount(system, order.customer, '498.00', ['TOP_UP', 'CHARGE']);
    await isFree(courier);
  });

  test('not for a reason that is too long, and not when it is nobody’s', async () => {
    const { id, customer } = await moved(0);
    expect((await cancel(id, customer.token, 'x'.repeat(501))).errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', field: 'reason' } },
    ]);
    expect((await cancel(randomUUID(), customer.token)).errors).toMatchObject([
      { extensions: { code: 'NOT_FOUND' } },
    ]);
  });
});

test('staff calls orders off, and the history says so; another customer does not even find them', async () => {
  const other = await rich(system);
  const { courier, ...order } = await moved(1);
  const { id, customer } = order;
  expect((await cancel(id, other.token)).errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  expect((await cancel(id, system.staffToken, 'Sold out')).errors).toEqual([]);
  const { delivery } = await read(id, 'delivery { history { status by reason } }', customer);
  expect((delivery as { history: object[] }).history.at(-1)).toEqual({
    status: 'CANCELLED',
    by: 'dispatcher',
    reason: 'Sold out',
  });
  const deliveries: SeenChange[] = [...gone(1), ['CANCELLED', 'dispatcher', 'Sold out']];
  await expectSeen(order, { orders: ['PENDING', 'PAID', 'CANCELLED'], deliveries }, feed);
  await expectAccount(system, customer, '500.00', refunded);
  await isFree(courier);
});

test('30 orders that are called off while they are charged leave the balance whole', async () => {
  const customer = await rich(system);
  const orderIds = await Promise.all(Array.from({ length: 30 }, () => system.order(customer)));
  const watches = orderIds.map((id) =>
    system.subscribe<{ orderUpdated: { status: string } }>(
      'subscription ($id: ID!) { orderUpdated(orderId: $id) { status } }',
      { id },
      customer.token,
    ),
  );
  const before = await handled();
  const answers = await Promise.all(orderIds.map((orderId) => cancel(orderId, customer.token)));
  for (const { data } of answers) expect(data).toMatchObject({ cancelOrder: { status: 'CANCELLED' } });
  for (const { ended, messages } of watches) {
    expect(await ended).toMatchObject({ complete: true });
    const seen = messages.map(({ data }) => data?.orderUpdated.status);
    expect(seen.filter((status) => status === 'CANCELLED')).toHaveLength(1);
    expect(seen.at(-1)).toBe('CANCELLED');
  }
  await until('payment has heard of all', async () => (await handled()) >= before + 30);
  await until('all that was charged is given back', async () => {
    const [left] = await system.sql<{ count: number }>(
      'payment',
      `select count(*)::int from payments where status = 'SUCCESS' and user_id = $1`,
      [customer.userId],
    );
    return left?.count === 0;
  });
  const [entries] = await system.sql<{ charges: number; refunds: number; balance: number }>(
    'payment',
    `select count(*) filter (where kind = 'CHARGE')::int as charges,
       count(*) filter (where kind = 'REFUND')::int as refunds, sum(amount_cents)::int as balance
     from ledger_entries e join accounts a on a.id = e.account_id where a.user_id = $1`,
    [customer.userId],
  );
  expect(entries?.refunds).toBe(entries?.charges);
  expect(entries?.balance).toBe(500_00);
  expect(await system.sql('payment', 'select * from ledger_faults')).toEqual([]);
});

test('50 charges at once of an account with money for 20 go well exactly 20 times', async () => {
  const customer = await system.register();
  await system.topUp(customer, '40.00');
  const release = await holdCharges(system, customer.userId);
  const watches = await Promise.all(
    Array.from({ length: 50 }, async () =>
      system.subscribe<{ paymentCompleted: { status: string } }>(
        'subscription ($id: ID!) { paymentCompleted(orderId: $id) { status } }',
        { id: await system.order(customer) },
        customer.token,
      ),
    ),
  );
  await release();
  const seen: string[] = [];
  for (const { ended, messages } of watches) {
    expect(await ended).toMatchObject({ complete: true });
    expect(messages).toHaveLength(1);
    seen.push(messages[0]?.data?.paymentCompleted.status ?? '');
  }
  expect(seen.filter((status) => status === 'SUCCESS')).toHaveLength(20);
  expect(seen.filter((status) => status === 'INSUFFICIENT_FUNDS')).toHaveLength(30);
  await expectAccount(system, customer, '0.00', ['TOP_UP', ...Array.from({ length: 20 }, () => 'CHARGE')]);
});

test('what services say to each other is refused to everybody else', async () => {
  const { id: orderId, customer } = await placeWatched(system);
  const url = new URL(cancellation.path, system.subgraphs.get('delivery')?.url);
  const body = JSON.stringify({ orderId, userId: customer.userId, by: 'customer', reason: null });
  const ask = (authorization?: string) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
      body,
    });
  for (const authorization of [
    undefined,
    `Bearer ${customer.token}`,
    `Bearer ${system.staffToken}`,
    'Bearer x',
  ])
    expect((await ask(authorization)).status).toBe(401);
  expect((await system.http(cancellation.path, { method: 'POST' })).status).toBe(404);
  expect((await cancel(orderId, customer.token)).data).toMatchObject({
    cancelOrder: { status: 'CANCELLED' },
  });
});

test('where delivery is away the client is told to try again, and nothing has changed', async () => {
  const { id: orderId, customer } = await placeWatched(system);
  await system.subgraphs.get('delivery')?.stop();
  expect((await cancel(orderId, customer.token)).errors).toMatchObject([
    { extensions: { code: 'SERVICE_UNAVAILABLE' } },
  ]);
  expect(await read(orderId, 'status', customer)).toEqual({ status: 'PAID' });
});

bus.proveIt();
