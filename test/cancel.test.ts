import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { cancellation } from '../events/cancellation.js';
import { openDatabase } from '../platform/postgres/database.js';
import { until } from '../platform/testing/until.js';
import type { Customer } from './support/client.js';
import { stepDelivery } from './support/deliveries.js';
import { type System, startSystem } from './support/system.js';

/** Deliveries move when a test moves them. */
let system: System;
beforeAll(async () => {
  system = await startSystem({ DELIVERY_SIMULATION: 'off' });
});
afterAll(() => system.stop());

const cancelOrder = `mutation ($id: ID!, $reason: String) { cancelOrder(id: $id, reason: $reason) {
  id status deliveryStatus } }`;
const cancel = (orderId: string, token: string, reason: string | null = null) =>
  system.graphql(cancelOrder, { id: orderId, reason }, token);

async function rich(): Promise<Customer> {
  const customer = await system.register();
  await system.topUp(customer, '500.00');
  return customer;
}

/** Holds the charge of a user's orders back, by the lock that it needs, until it is called. */
async function holdCharges(userId: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: system.databaseUrl('payment') });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query('begin');
  await client.query('select from accounts where user_id = $1 for update', [userId]);
  return async () => void (await client.query('commit'));
}

/** An order whose delivery has been taken so many steps further by a courier. */
async function moved(customer: Customer, steps: number): Promise<string> {
  const orderId = await system.order(customer);
  const database = openDatabase({ url: system.databaseUrl('delivery'), service: 'delivery' });
  onTestFinished(() => database.close());
  const delivery = await until('a courier has it', async () => {
    const { rows } = await database.query<{ deliveryId: string; courierId: string }>(
      `select id as "deliveryId", courier_id as "courierId" from deliveries
       where order_id = $1 and courier_id is not null`,
      [orderId],
    );
    return rows[0];
  });
  const all = { ...delivery, orderId, userId: customer.userId };
  for (let step = 0; step < steps; step += 1) await database.transaction((tx) => stepDelivery(tx, all));
  return orderId;
}

const read = async (orderId: string, fields: string, { token }: Customer) =>
  (
    await system.ask<{ order: Record<string, unknown> }>(
      `query ($id: ID!) { order(id: $id) { ${fields} } }`,
      { id: orderId },
      token,
    )
  ).order;
const balanceOf = async ({ token }: Customer): Promise<string> =>
  (
    await system.ask<{ myAccount: { balance: { amount: string } } }>(
      '{ myAccount { balance { amount } } }',
      {},
      token,
    )
  ).myAccount.balance.amount;
const isWhole = (customer: Customer) =>
  until('the balance is whole', async () => (await balanceOf(customer)) === '500.00');
const faults = () => system.sql('payment', 'select * from ledger_faults');

const watches = {
  orderUpdated: 'subscription ($id: ID!) { orderUpdated(orderId: $id) { status order { deliveryStatus } } }',
  deliveryStatusChanged:
    'subscription ($id: ID!) { deliveryStatusChanged(orderId: $id) { status reason by } }',
  paymentCompleted: 'subscription ($id: ID!) { paymentCompleted(orderId: $id) { status } }',
};
const watch = (field: keyof typeof watches, orderId: string, token: string) =>
  system.subscribe<Record<string, { status: string }>>(watches[field], { id: orderId }, token);

describe('an order is called off by its customer', () => {
  test('before it is charged: nothing is ever taken, and who watches sees the end', async () => {
    const customer = await rich();
    const release = await holdCharges(customer.userId);
    const orderId = await system.order(customer);
    const live = (['orderUpdated', 'deliveryStatusChanged', 'paymentCompleted'] as const).map((field) =>
      watch(field, orderId, customer.token),
    );
    expect((await cancel(orderId, customer.token)).data).toEqual({
      cancelOrder: { id: orderId, status: 'CANCELLED', deliveryStatus: null },
    });
    await release();
    const ends = await Promise.all(live.map(({ ended }) => ended));
    expect(ends).toMatchObject([{ complete: true }, { complete: true }, { complete: true }]);
    expect(live[0]?.messages.at(-1)?.data).toMatchObject({ orderUpdated: { status: 'CANCELLED' } });
    expect(live[1]?.messages).toEqual([]);
    await isWhole(customer);
    expect(await faults()).toEqual([]);
  });

  test.each([
    ['PENDING', 0],
    ['IN_TRANSIT', 1],
  ])('while its delivery is %s: it is refunded, and its courier is free', async (_status, steps) => {
    const customer = await rich();
    const orderId = await moved(customer, steps);
    const orders = watch('orderUpdated', orderId, customer.token);
    const deliveries = watch('deliveryStatusChanged', orderId, customer.token);
    await deliveries.waitFor(({ length }) => length > 0);
    expect((await cancel(orderId, customer.token, ' Too late ')).data).toEqual({
      cancelOrder: { id: orderId, status: 'CANCELLED', deliveryStatus: 'CANCELLED' },
    });
    expect(await orders.ended).toMatchObject({ complete: true });
    expect(await deliveries.ended).toMatchObject({ complete: true });
    expect(orders.messages.at(-1)?.data).toEqual({
      orderUpdated: { status: 'CANCELLED', order: { deliveryStatus: 'CANCELLED' } },
    });
    expect(deliveries.messages.at(-1)?.data).toEqual({
      deliveryStatusChanged: { status: 'CANCELLED', reason: 'Too late', by: 'customer' },
    });
    await isWhole(customer);
    const { payment } = await read(orderId, 'payment { status refundedAt }', customer);
    expect(payment).toEqual({ status: 'REFUNDED', refundedAt: expect.any(String) });
    expect(await faults()).toEqual([]);
  });

  test('again and again: each answer is the same, and it is refunded once', async () => {
    const customer = await rich();
    const orderId = await moved(customer, 0);
    const answers = await Promise.all(Array.from({ length: 10 }, () => cancel(orderId, customer.token)));
    for (const { data, errors } of answers)
      expect([data, errors]).toEqual([
        { cancelOrder: { id: orderId, status: 'CANCELLED', deliveryStatus: 'CANCELLED' } },
        [],
      ]);
    await isWhole(customer);
    expect(await faults()).toEqual([]);
  });

  test.each([
    ['OUT_FOR_DELIVERY', 2],
    ['DELIVERED', 3],
  ])('not when it is %s', async (_status, steps) => {
    const customer = await rich();
    const orderId = await moved(customer, steps);
    const { data, errors } = await cancel(orderId, customer.token);
    expect(data).toBeNull();
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/ that is \w+ cannot become CANCELLED\.$/),
        extensions: { code: 'INVALID_TRANSITION' },
      },
    ]);
  });

  test('not for a reason that is too long, and not when it is nobody’s', async () => {
    const customer = await rich();
    const orderId = await moved(customer, 0);
    expect((await cancel(orderId, customer.token, 'x'.repeat(501))).errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', field: 'reason' } },
    ]);
    expect((await cancel(randomUUID(), customer.token)).errors).toMatchObject([
      { extensions: { code: 'NOT_FOUND' } },
    ]);
  });
});

test('staff calls orders off, and the history says so; another customer does not even find them', async () => {
  const [customer, other] = await Promise.all([rich(), rich()]);
  const orderId = await moved(customer, 1);
  expect((await cancel(orderId, other.token)).errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  expect((await cancel(orderId, system.staffToken, 'Sold out')).errors).toEqual([]);
  const { delivery } = await read(orderId, 'delivery { history { status by reason } }', customer);
  expect((delivery as { history: object[] }).history.at(-1)).toEqual({
    status: 'CANCELLED',
    by: 'dispatcher',
    reason: 'Sold out',
  });
  await isWhole(customer);
});

test('30 orders that are called off while they are charged leave the balance whole', async () => {
  const customer = await rich();
  const orderIds = await Promise.all(Array.from({ length: 30 }, () => system.order(customer)));
  const answers = await Promise.all(orderIds.map((orderId) => cancel(orderId, customer.token)));
  for (const { data } of answers) expect(data).toMatchObject({ cancelOrder: { status: 'CANCELLED' } });
  await until('all that was charged is given back', async () => {
    const [left] = await system.sql<{ count: number }>(
      'payment',
      `select count(*)::int from payments where status = 'SUCCESS' and user_id = $1`,
      [customer.userId],
    );
    return left?.count === 0;
  });
  await isWhole(customer);
  expect(await faults()).toEqual([]);
});

test('what services say to each other is refused to everybody else', async () => {
  const customer = await rich();
  const orderId = await moved(customer, 0);
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
  const customer = await rich();
  const orderId = await moved(customer, 0);
  await system.subgraphs.get('delivery')?.stop();
  expect((await cancel(orderId, customer.token)).errors).toMatchObject([
    { extensions: { code: 'SERVICE_UNAVAILABLE' } },
  ]);
  expect(await read(orderId, 'status', customer)).toEqual({ status: 'PAID' });
});
