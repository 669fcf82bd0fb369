import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Customer, Product } from './support/client.js';
import { expectNoInsides } from './support/leaks.js';
import { expectRefused, quiet } from './support/refusals.js';
import { type System, startSystem } from './support/system.js';

let system: System;
let customer: Customer;
let product: Product;

beforeAll(async () => {
  system = await startSystem({ DELIVERY_SIMULATION: 'off' });
  customer = await system.register();
  product = system.products[0] as Product;
});
afterAll(() => system?.stop());

const createOrder = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';
const topUp = 'mutation ($input: TopUpInput!) { topUp(input: $input) { id } }';
const orderInput = (more: object = {}) => ({
  items: [{ productId: product.id, quantity: 1, price: product.price.amount }],
  deliveryAddress: 'Long Lane 1',
  ...more,
});
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = () => ({
  sub: customer.userId,
  role: 'ADMIN',
  iss: 'doorstep',
  aud: 'doorstep',
  exp: Math.floor(Date.now() / 1000) + 900,
});

const wrongTokens: [string, () => Promise<string>][] = [
  ['that is garbage', async () => 'garbage'],
  ['that has expired', () => system.sign({ id: customer.userId }, -60_000)],
  ['without a signature', async () => `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims())}.`],
  [
    'that says alg none and is signed all the same',
    async () => `${encode({ alg: 'none' })}.${encode(claims())}.${customer.token.split('.')[2]}`,
  ],
  ['whose claims were changed', async () => customer.token.split('.').with(1, encode(claims())).join('.')],
  [
    'of another signer',
    async () => {
      const [head = '', , signature = ''] = customer.token.split('.');
      return `${head}.${encode({ ...claims(), sub: randomUUID() })}.${signature}`;
    },
  ],
];

describe('a token', () => {
  test.each(wrongTokens)('%s is refused over HTTP, also where none is needed', async (_name, make) => {
    await expectRefused(
      system,
      { query: '{ products { nodes { id } } }', token: await make() },
      { code: 'UNAUTHENTICATED' },
    );
    await expectRefused(
      system,
      { query: createOrder, variables: { input: orderInput() }, token: await make() },
      { code: 'UNAUTHENTICATED' },
    );
  });

  test.each(wrongTokens)('%s closes a socket with 4403', async (_name, make) => {
    const { close } = await system.subscribe(
      'subscription { orderUpdated(orderId: "1") { cursor } }',
      {},
      await make(),
    ).ended;
    expect(close).toMatchObject({ code: 4403, reason: expect.stringMatching(/^Forbidden/) });
  });

  test.each([
    'mutation { createOrder(input: { items: [], deliveryAddress: "a" }) { id } }',
    'mutation { topUp(input: { amount: "1.00", idempotencyKey: "a" }) { id } }',
    '{ orders { nodes { id } } }',
    '{ order(id: "0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11") { id } }',
    '{ payment(id: "0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11") { id } }',
    '{ delivery(id: "0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11") { id } }',
    '{ user(id: "0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11") { id } }',
    '{ myAccount { id } }',
  ])('is needed for %s', async (query) => {
    await expectRefused(system, { query }, { code: 'UNAUTHENTICATED' });
  });

  test('is not needed for products and for oneself, who is nobody then', async () => {
    expect(await system.ask('{ me { id } products(first: 1) { nodes { name } } }')).toEqual({
      me: null,
      products: { nodes: [{ name: 'Espresso' }] },
    });
  });
});

describe('an idempotency key', () => {
  test('with another input is refused, and the first answer stands', async () => {
    const key = randomUUID();
    const first = await system.order(customer, orderInput({ idempotencyKey: key }));
    const another = orderInput({ idempotencyKey: key, deliveryAddress: 'Long Lane 2' });
    await expectRefused(
      system,
      { query: createOrder, variables: { input: another }, token: customer.token },
      { code: 'IDEMPOTENCY_CONFLICT' },
    );
    const before = await quiet(system);
    expect(await system.order(customer, orderInput({ idempotencyKey: key }))).toBe(first);
    expect(await quiet(system)).toEqual(before);
  });

  test('with another amount adds nothing', async () => {
    const key = randomUUID();
    const ask = (amount: string) => ({
      query: topUp,
      variables: { input: { amount, idempotencyKey: key } },
      token: customer.token,
    });
    await system.ask(topUp, ask('5.00').variables, customer.token);
    await expectRefused(system, ask('5.01'), { code: 'IDEMPOTENCY_CONFLICT' });
  });

  test('is not remembered by what was refused', async () => {
    const key = randomUUID();
    const wrong = orderInput({ idempotencyKey: key, deliveryAddress: '' });
    await expectRefused(
      system,
      { query: createOrder, variables: { input: wrong }, token: customer.token },
      { code: 'BAD_USER_INPUT' },
    );
    expect(await system.order(customer, orderInput({ idempotencyKey: key }))).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('of two customers is two keys', async () => {
    const other = await system.register();
    const input = orderInput({ idempotencyKey: 'the same' });
    expect(await system.order(customer, input)).not.toBe(await system.order(other, input));
  });

  test('makes many requests at once one order', async () => {
    const before = await quiet(system);
    const input = orderInput({ idempotencyKey: randomUUID() });
    const ids = await Promise.all(Array.from({ length: 8 }, () => system.order(customer, input)));
    expect(new Set(ids).size).toBe(1);
    expect((await quiet(system))['order.orders']).toBe((before['order.orders'] ?? 0) + 1);
  });

  test('makes many top-ups at once one', async () => {
    const rich = await system.register();
    const input = { amount: '7.00', idempotencyKey: randomUUID() };
    await Promise.all(Array.from({ length: 8 }, () => system.ask(topUp, { input }, rich.token)));
    expect(
      await system.ask('{ myAccount { balance { amount } entries { totalCount } } }', {}, rich.token),
    ).toEqual({
      myAccount: { balance: { amount: '7.00' }, entries: { totalCount: 1 } },
    });
  });
});

describe('a request that is no GraphQL over HTTP is refused', () => {
  const json = { 'content-type': 'application/json' };
  const query = JSON.stringify({ query: '{ me { id } }' });
  const cases: [string, RequestInit, number, string][] = [
    [
      'with more than 1 MiB',
      { method: 'POST', headers: json, body: JSON.stringify({ query: `# ${'a'.repeat(1024 * 1024)}` }) },
      413,
      'QUERY_TOO_COMPLEX',
    ],
    [
      'with a body that is cut off',
      { method: 'POST', headers: json, body: '{"query":' },
      400,
      'BAD_USER_INPUT',
    ],
    ['without a body', { method: 'POST', headers: json }, 400, 'BAD_USER_INPUT'],
    [
      'with a number for a query',
      { method: 'POST', headers: json, body: '{"query":1}' },
      400,
      'BAD_USER_INPUT',
    ],
    ['with a list for a body', { method: 'POST', headers: json, body: '[]' }, 400, 'BAD_USER_INPUT'],
    ['with null for a body', { method: 'POST', headers: json, body: 'null' }, 400, 'BAD_USER_INPUT'],
    [
      'with a text for variables',
      { method: 'POST', headers: json, body: '{"query":"{ me { id } }","variables":"a"}' },
      400,
      'BAD_USER_INPUT',
    ],
    [
      'with an unsafe key in its body',
      { method: 'POST', headers: json, body: '{"__proto__":{"query":"{ me { id } }"}}' },
      400,
      'BAD_USER_INPUT',
    ],
    [
      'as a form',
      {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'query={me{id}}',
      },
      415,
      'BAD_USER_INPUT',
    ],
    [
      'as text',
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: query },
      415,
      'BAD_USER_INPUT',
    ],
    ['with another method', { method: 'DELETE', headers: json, body: query }, 404, 'NOT_FOUND'],
  ];
  test.each(cases)('%s', async (_name, init, status, code) => {
    const before = await quiet(system);
    const response = await system.http('/graphql', init);
    const text = await response.text();
    expect([response.status, JSON.parse(text)], text).toMatchObject([
      status,
      { errors: [{ extensions: { code } }] },
    ]);
    expectNoInsides(system, text);
    expect(await quiet(system)).toEqual(before);
  });
});
