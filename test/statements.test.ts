import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { metrics } from '../platform/metrics.js';
import { until } from '../platform/testing/until.js';
import type { Customer } from './support/client.js';
import { nowhere, type System, startSystem } from './support/system.js';

let system: System;
/** Has fifty orders; the others have one each. */
let regular: Customer;

beforeAll(async () => {
  // What is kept asks nothing: without a cache all of it is counted.
  system = await startSystem({ REDIS_URL: nowhere });
  const customers = await Promise.all(Array.from({ length: 5 }, () => system.register()));
  regular = customers[0] as Customer;
  const items = system.products
    .slice(0, 3)
    .map(({ id, price }) => ({ productId: id, quantity: 1, price: price.amount }));
  for (const customer of customers) await system.topUp(customer, '1000.00');
  for (let placed = 0; placed < 50; placed += 10) {
    await Promise.all(Array.from({ length: 10 }, () => system.order(regular, { items })));
  }
  for (const customer of customers.slice(1)) await system.order(customer, { items });
  await until('all orders are at the door', async () => {
    const [row] = await system.sql<{ open: number }>(
      'order',
      `select count(*)::int as open from orders where status <> 'COMPLETED'`,
    );
    return row?.open === 0;
  });
});
afterAll(() => system?.stop());

/** Runs a query and answers how many statements each service read with. */
async function statements(
  query: string,
  variables: object,
  token: string,
): Promise<{ reads: Record<string, number>; data: unknown }> {
  const count = async () => {
    const { values } = await metrics.postgresReads.get();
    return Object.fromEntries(values.map(({ labels, value }) => [String(labels.service), value]));
  };
  const before = await count();
  const data = await system.ask(query, variables, token);
  const after = await count();
  return {
    data,
    reads: Object.fromEntries(
      Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]),
    ),
  };
}

const length = (value: unknown): number => JSON.stringify(value).split('"id"').length;

const orderPage = `query ($first: Int) { orders(first: $first) {
  pageInfo { hasNextPage endCursor }
  edges { cursor node {
    id status total { amount } items { quantity price { amount } product { id name price { amount } } }
    user { id firstName email }
    payment { id status amount { amount } order { id user { id } } }
    delivery { id status courier { id name } history { cursor previous status at by order { id } } }
  } }
} }`;

describe('a list takes the same number of statements whatever it holds', () => {
  const lists: [string, string, Record<string, number>][] = [
    ['the page of orders', orderPage, { order: 2, user: 1, payment: 1, delivery: 2 }],
    [
      'a user’s orders with its account',
      'query ($first: Int) { me { firstName orders(first: $first) { totalCount nodes { id items { product { id name } } } } account { id balance { amount } } } }',
      { order: 3, user: 1, payment: 1, delivery: 0 },
    ],
    [
      'the entries of an account',
      'query ($first: Int) { myAccount { id entries(first: $first) { totalCount nodes { id kind amount { amount } payment { id order { id status } } } } } }',
      { order: 1, user: 0, payment: 4, delivery: 0 },
    ],
    [
      'the users, for staff',
      'query ($first: Int) { users(first: $first, search: "a") { totalCount pageInfo { endCursor } nodes { id email } } }',
      { order: 0, user: 2, payment: 0, delivery: 0 },
    ],
    [
      'the products',
      'query ($first: Int) { products(first: $first) { totalCount nodes { id name } } }',
      { order: 2, user: 0, payment: 0, delivery: 0 },
    ],
  ];
  test.each(lists)('%s', async (_name, query, expected) => {
    const sizes = [];
    for (const first of [1, 10, 50]) {
      const token = query.includes('users(') ? system.staffToken : regular.token;
      const { reads, data } = await statements(query, { first }, token);
      expect(reads, `with ${first} rows`).toEqual(expected);
      sizes.push(length(data));
    }
    // It did hold more each time, but the products, of which there are ten, and the users, who are few.
    expect(sizes[1]).toBeGreaterThan(sizes[0] as number);
    if (!/products\(|users\(/.test(query)) expect(sizes[2]).toBeGreaterThan(sizes[1] as number);
  });
});

test('the orders, accounts and entries of several users take as many statements as those of one', async () => {
  const query = `query ($filter: OrderFilter) { orders(first: 54, filter: $filter) { nodes { id user { id firstName
    orders(first: 3) { totalCount nodes { id } }
    account { id balance { amount } entries(first: 2) { totalCount nodes { id } } }
  } } } }`;
  const one = await statements(query, { filter: { userId: regular.userId } }, system.staffToken);
  const all = await statements(query, {}, system.staffToken);
  expect(new Set(JSON.stringify(all.data).match(/"user":\{"id":"[^"]+/g)).size).toBe(5);
  expect(all.reads).toEqual(one.reads);
  expect(all.reads).toEqual({ order: 3, user: 1, payment: 3, delivery: 0 });
});

test('the same lists asked for twice, by other names, are read once for each page that differs', async () => {
  const query =
    '{ me { a: orders(first: 2) { nodes { id } } b: orders(first: 2) { nodes { id } } c: orders(first: 3) { nodes { id } } } }';
  expect((await statements(query, {}, regular.token)).reads['order']).toBe(2);
});

describe('rows are counted only where totalCount is selected', () => {
  const lists: [string, string, string][] = [
    ['orders', 'order', '{ orders { nodes { id } } }'],
    ['products', 'order', '{ products { nodes { id } } }'],
    ['a user’s orders', 'order', '{ me { orders { nodes { id } } } }'],
    ['an account’s entries', 'payment', '{ myAccount { entries { nodes { id } } } }'],
  ];
  test.each(lists)('%s', async (_name, service, query) => {
    const without = await statements(query, {}, regular.token);
    const counted = await statements(query.replace('nodes', 'totalCount nodes'), {}, regular.token);
    expect((counted.reads[service] ?? 0) - (without.reads[service] ?? 0)).toBe(1);
  });
});
