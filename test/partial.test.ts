import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { serviceNames } from '../platform/config.js';
import { until } from '../platform/testing/until.js';
import type { Customer } from './support/client.js';
import { expectNoInsides } from './support/leaks.js';
import { type System, startSystem } from './support/system.js';

let system: System;
let customer: Customer;
let orderId: string;

/** A system with one customer, whose one order has been delivered. */
async function delivered(): Promise<void> {
  system = await startSystem({ SUBSCRIPTION_PATIENCE: '500ms' });
  customer = await system.register();
  await system.topUp(customer, '10.00');
  orderId = await system.order(customer);
  await system.reaches(orderId, 'COMPLETED');
  await until('its beginning is stored', async () => {
    const first = `select from events where order_id = $1 and type = 'order.created'`;
    return (await system.sql('event', first, [orderId])).length > 0;
  });
}

const page = `{
  orders { nodes { id status items { product { name } } user { id firstName } payment { status } delivery { status courier { name } history { status } } timeline(first: 1) { type } } }
  account: myAccount { balance { amount } }
}`;
const whole = () => ({
  orders: {
    nodes: [
      {
        id: orderId,
        status: 'COMPLETED',
        items: [{ product: { name: 'Espresso' } }],
        user: { id: customer.userId, firstName: 'Rosa' },
        payment: { status: 'SUCCESS' },
        delivery: {
          status: 'DELIVERED',
          courier: { name: expect.any(String) },
          history: ['PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED'].map((status) => ({ status })),
        },
        timeline: [{ type: 'order.created' }],
      },
    ],
  },
  account: { balance: { amount: '8.00' } },
});
/** What is left of the page while a service is away. */
const without: Record<string, () => object> = {
  user: () => ({ ...whole(), orders: { nodes: [{ ...whole().orders.nodes[0], user: null }] } }),
  order: () => ({ ...whole(), orders: null }),
  payment: () => ({ account: null, orders: { nodes: [{ ...whole().orders.nodes[0], payment: null }] } }),
  delivery: () => ({ ...whole(), orders: { nodes: [{ ...whole().orders.nodes[0], delivery: null }] } }),
  event: () => ({ ...whole(), orders: { nodes: [{ ...whole().orders.nodes[0], timeline: null }] } }),
};

const updates =
  'subscription ($id: ID!) { orderUpdated(orderId: $id) { status order { id user { firstName } payment { status } delivery { status } timeline(first: 1) { type } } } }';
interface Update {
  orderUpdated: {
    status: string;
    order: Record<'user' | 'payment' | 'delivery' | 'timeline', object | null> & { id: string };
  };
}

/** What only this service can do, and who watches it. */
const owned: Record<string, { mutation?: [string, () => object]; subscription?: string }> = {
  user: {
    mutation: [
      'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }',
      () => ({ email: customer.email, password: customer.password }),
    ],
  },
  order: {
    mutation: [
      'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }',
      () => ({
        items: [{ productId: system.products[0]?.id, quantity: 1, price: '2.00' }],
        deliveryAddress: 'Long Lane 1',
      }),
    ],
    subscription: updates,
  },
  payment: {
    mutation: [
      'mutation ($input: TopUpInput!) { topUp(input: $input) { id } }',
      () => ({ amount: '1.00', idempotencyKey: 'a' }),
    ],
    subscription: 'subscription ($id: ID!) { paymentCompleted(orderId: $id) { id } }',
  },
  delivery: { subscription: 'subscription ($id: ID!) { deliveryStatusChanged(orderId: $id) { cursor } }' },
};

describe.each(serviceNames)('while %s is away', (service) => {
  const { mutation, subscription } = owned[service] ?? {};
  const away = { code: 'SERVICE_UNAVAILABLE', service };

  beforeAll(async () => {
    await delivered();
    expect(await system.ask(page, {}, customer.token)).toEqual(whole());
    await system.subgraphs.get(service)?.stop();
  });
  afterAll(() => system.stop());

  test('a page of orders holds what the others know, and an error that names the service and no address', async () => {
    const { status, data, errors, text } = await system.graphql(page, {}, customer.token);
    expect(status).toBe(200);
    expect(data).toEqual(without[service]?.());
    expect(errors.length).toBeGreaterThan(0);
    for (const { message, extensions } of errors) {
      expect(extensions).toEqual(away);
      expect(message).toContain(service);
    }
    expectNoInsides(system, text);
  });

  test('the gateway lives, and says what it waits for', async () => {
    await expect
      .poll(async () => (await system.http('/health/ready')).json(), { timeout: 10_000 })
      .toMatchObject({ status: 'waiting', missing: [service] });
    expect((await system.http('/health/live')).status).toBe(200);
  });

  if (mutation)
    test('its mutation is refused', async () => {
      const [query, input] = mutation ?? ['', () => ({})];
      const { data, errors, text } = await system.graphql(query, { input: input() }, customer.token);
      expect(data ?? null).toBeNull();
      expect(errors.map(({ extensions }) => extensions)).toEqual([away]);
      expectNoInsides(system, text);
    });

  if (subscription)
    test('its subscription is refused', async () => {
      const live = system.subscribe(subscription ?? '', { id: orderId }, customer.token);
      const { errors } = await live.ended;
      expect(live.messages).toEqual([]);
      expect(errors.map(({ extensions }) => extensions)).toEqual([away]);
      expectNoInsides(system, JSON.stringify(errors));
    });

  if (service !== 'order')
    test('a subscription to an order goes on without its fields', async () => {
      const live = system.subscribe<Update>(updates, { id: orderId }, customer.token);
      expect((await live.ended).complete).toBe(true);
      const known = {
        user: { firstName: 'Rosa' },
        payment: { status: 'SUCCESS' },
        delivery: { status: 'DELIVERED' },
        timeline: [{ type: 'order.created' }],
      };
      expect(live.messages.map(({ data }) => data?.orderUpdated.order)).toEqual([
        { id: orderId, ...known, [service === 'event' ? 'timeline' : service]: null },
      ]);
      expect(live.messages[0]?.errors?.map(({ extensions }) => extensions)).toEqual([away]);
      expectNoInsides(system, JSON.stringify(live.messages));
    });

  if (service === 'delivery')
    test('a new order is charged all the same, and its watcher sees that', async () => {
      const live = system.subscribe<Update>(updates, { id: await system.order(customer) }, customer.token);
      const messages = await live.waitFor((seen) => seen.at(-1)?.data?.orderUpdated.status === 'PAID');
      expect(messages.at(-1)?.data?.orderUpdated.order).toMatchObject({
        payment: { status: 'SUCCESS' },
        delivery: null,
      });
      live.close();
    });
});

test('a subscription whose own service is away for too long ends with an error, and tells nothing of the inside', async () => {
  await delivered();
  onTestFinished(() => system.stop());
  // Nobody decides the charge: the order stays PENDING, and its subscription open.
  await system.subgraphs.get('payment')?.stop();
  const live = system.subscribe<Update>(updates, { id: await system.order(customer) }, customer.token);
  await live.waitFor(({ length }) => length > 0);
  await system.subgraphs.get('order')?.stop();
  const { complete, errors, close } = await live.ended;
  expect({ complete, close, codes: errors.map(({ extensions }) => extensions.code) }).toEqual({
    complete: false,
    close: undefined,
    codes: ['SERVICE_UNAVAILABLE'],
  });
  expectNoInsides(system, JSON.stringify([errors, live.messages]));
});
