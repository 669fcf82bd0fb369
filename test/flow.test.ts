import { createClient, type ExecutionResult } from 'graphql-ws';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../platform/testing/until.js';
import { type System, startSystem } from './support/system.js';
import { holdCharges } from './support/watched.js';

let system: System;
beforeAll(async () => {
  system = await startSystem({ DELIVERY_STEP: '100ms' });
});
afterAll(() => system.stop());

const orderUpdated = `subscription ($id: ID!, $after: Cursor) { orderUpdated(orderId: $id, after: $after) {
  cursor status
  order { id deliveryStatus total { amount } user { firstName } payment { status amount { amount } } delivery { status } } } }`;
const deliveryStatusChanged = `subscription ($id: ID!, $after: Cursor) { deliveryStatusChanged(orderId: $id, after: $after) {
  cursor previous status by at
  delivery { id courier { name } history { status } }
  order { id status items { product { name } } user { firstName email } payment { status } } } }`;
const paymentCompleted = `subscription ($id: ID!) { paymentCompleted(orderId: $id) {
  status amount { amount } order { id status user { firstName } } } }`;

interface OrderUpdated {
  orderUpdated: {
    cursor: string;
    status: string;
    order: {
      id: string;
      deliveryStatus: string | null;
      user: { firstName: string };
      payment: { status: string } | null;
    };
  };
}
interface DeliveryStatusChanged {
  deliveryStatusChanged: {
    cursor: string;
    previous: string | null;
    status: string;
    by: string;
    delivery: { courier: { name: string } | null; history: { status: string }[] };
    order: {
      id: string;
      items: { product: { name: string } }[];
      user: { firstName: string; email: string };
      payment: { status: string };
    };
  };
}

/** One socket that any number of subscriptions share; `collect` resolves to all messages once one is complete. */
function socket(token: string) {
  const client = createClient({
    url: `${system.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: { authorization: `Bearer ${token}` },
  });
  onTestFinished(() => void client.dispose());
  const collect = async <T>(query: string, variables: Record<string, unknown>) => {
    const messages: T[] = [];
    for await (const { data, errors } of client.iterate<T>({ query, variables }) as AsyncIterable<
      ExecutionResult<T>
    >) {
      expect(errors).toBeUndefined();
      if (data) messages.push(data);
    }
    return messages;
  };
  return { collect };
}

/**
 * Orders for 2.00 with this balance, and watches from the first moment, on one socket: nothing is charged,
 * and delivery has not heard of the order. Answers all that was seen once every subscription is complete.
 */
async function orderWatched(balance: string) {
  const customer = await system.register();
  await system.topUp(customer, balance);
  const release = await holdCharges(system, customer.userId);
  const id = await system.order(customer);
  const { collect } = socket(customer.token);
  const collected = Promise.all([
    collect<OrderUpdated>(orderUpdated, { id }),
    collect<DeliveryStatusChanged>(deliveryStatusChanged, { id }),
    collect<{ paymentCompleted: { status: string } }>(paymentCompleted, { id }),
  ]);
  await until('all three are watched', async () => (await system.watching()) >= 3);
  await release();
  const [orders, deliveries, payments] = await collected;
  return { customer, id, orders, deliveries, payments };
}

const without = <T>(values: T[]): T[] =>
  values.filter((value, index) => index === 0 || value !== values[index - 1]);

test('one socket sees an order from PENDING to its door, each step once and in order, with the fields of all subgraphs', async () => {
  const { customer, id, orders, deliveries, payments } = await orderWatched('20.00');

  const updates = orders.map((message) => message.orderUpdated);
  expect(updates.map(({ status, order }) => [status, order.deliveryStatus === null])[0]).toEqual([
    'PENDING',
    true,
  ]);
  expect(without(updates.map(({ status }) => status))).toEqual(['PENDING', 'PAID', 'COMPLETED']);
  expect(new Set(updates.map(({ cursor }) => cursor)).size).toBe(6);
  expect(updates.at(-1)?.order).toMatchObject({
    id,
    deliveryStatus: 'DELIVERED',
    total: { amount: '2.00' },
    user: { firstName: 'Rosa' },
    payment: { status: 'SUCCESS', amount: { amount: '2.00' } },
    delivery: { status: 'DELIVERED' },
  });

  const changes = deliveries.map((message) => message.deliveryStatusChanged);
  expect(changes.map(({ previous, status }) => [previous, status])).toEqual([
    [null, 'PENDING'],
    ['PENDING', 'IN_TRANSIT'],
    ['IN_TRANSIT', 'OUT_FOR_DELIVERY'],
    ['OUT_FOR_DELIVERY', 'DELIVERED'],
  ]);
  for (const { order } of changes) {
    expect(order).toMatchObject({
      id,
      items: [{ product: { name: 'Espresso' } }],
      user: { firstName: 'Rosa', email: customer.email },
    });
    expect(order.payment).toEqual({ status: 'SUCCESS' });
  }
  expect(changes.at(-1)?.delivery.courier?.name).toMatch(/\w/);
  expect(changes.at(-1)?.delivery.history).toHaveLength(4);

  expect(payments).toEqual([
    {
      paymentCompleted: {
        status: 'SUCCESS',
        amount: { amount: '2.00' },
        order: { id, status: expect.any(String), user: { firstName: 'Rosa' } },
      },
    },
  ]);
});

test('a balance that is too low ends the order: no debit, no delivery, and every subscription completes', async () => {
  const { customer, id, orders, deliveries, payments } = await orderWatched('1.99');
  expect(orders.map((message) => message.orderUpdated.status)).toEqual(['PENDING', 'INSUFFICIENT_FUNDS']);
  expect(deliveries).toEqual([]);
  expect(payments.map((message) => message.paymentCompleted.status)).toEqual(['INSUFFICIENT_FUNDS']);

  const { myAccount, order } = await system.ask<{ myAccount: unknown; order: unknown }>(
    'query ($id: ID!) { myAccount { balance { amount } entries { nodes { kind } } } order(id: $id) { delivery { id } } }',
    { id },
    customer.token,
  );
  expect(myAccount).toEqual({ balance: { amount: '1.99' }, entries: { nodes: [{ kind: 'TOP_UP' }] } });
  expect(order).toEqual({ delivery: null });
});

test('who comes late gets the present state and completes; who comes back with a cursor gets what was missed, once', async () => {
  const customer = await system.register();
  await system.topUp(customer, '20.00');
  const id = await system.order(customer);
  await system.reaches(id, 'COMPLETED');
  const { collect } = socket(customer.token);

  const [last, ...none] = await collect<DeliveryStatusChanged>(deliveryStatusChanged, { id });
  expect(none).toEqual([]);
  expect(last?.deliveryStatusChanged.status).toBe('DELIVERED');
  expect(
    (await collect<OrderUpdated>(orderUpdated, { id })).map((message) => message.orderUpdated.status),
  ).toEqual(['COMPLETED']);

  const cursorOf = (sequence: number) => Buffer.from(`delivery:${id}|${sequence}`).toString('base64url');
  const missed = await collect<DeliveryStatusChanged>(deliveryStatusChanged, { id, after: cursorOf(2) });
  expect(missed.map((message) => message.deliveryStatusChanged.status)).toEqual([
    'OUT_FOR_DELIVERY',
    'DELIVERED',
  ]);
  expect(missed.at(-1)?.deliveryStatusChanged.cursor).toBe(last?.deliveryStatusChanged.cursor);
  expect(await collect(deliveryStatusChanged, { id, after: cursorOf(4) })).toEqual([]);
});

test('a token that ends closes the socket with 4403, and says so', async () => {
  const customer = await system.register();
  await system.topUp(customer, '20.00');
  await holdCharges(system, customer.userId);
  const id = await system.order(customer);
  const token = await system.sign({ id: customer.userId }, 1_500);
  const { close } = await system.subscribe(paymentCompleted, { id }, token).ended;
  expect(close).toEqual({ code: 4403, reason: 'Forbidden: the access token has expired' });
});
