import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Customer } from './support/client.js';
import { expectRefused } from './support/refusals.js';
import { type System, startSystem } from './support/system.js';

let system: System;
let customer: Customer;
/** Cursors that are right, each in its own place. */
const cursors = { order: '', products: '', change: '' };
const unknownId = '0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11';

beforeAll(async () => {
  system = await startSystem({ DELIVERY_SIMULATION: 'off' });
  customer = await system.register();
  await system.topUp(customer, '10.00');
  const orderId = await system.order(customer);
  await system.reaches(orderId, 'PAID');
  const live = system.subscribe<{ orderUpdated: { cursor: string } }>(
    'subscription ($id: ID!) { orderUpdated(orderId: $id) { cursor } }',
    { id: orderId },
    customer.token,
  );
  const [first] = await live.waitFor(({ length }) => length > 0);
  live.close();
  cursors.change = first?.data?.orderUpdated.cursor ?? '';
  const lists = await system.ask<Record<'orders' | 'products', { pageInfo: { endCursor: string } }>>(
    '{ orders { pageInfo { endCursor } } products(first: 1) { pageInfo { endCursor } } }',
    {},
    customer.token,
  );
  cursors.order = lists.orders.pageInfo.endCursor;
  cursors.products = lists.products.pageInfo.endCursor;
});
afterAll(() => system?.stop());

describe('a list is refused', () => {
  const orders =
    'query ($first: Int, $after: Cursor, $filter: OrderFilter) { orders(first: $first, after: $after, filter: $filter) { nodes { id } } }';
  const products =
    'query ($after: Cursor, $search: String) { products(after: $after, search: $search) { nodes { id } } }';
  const mine = 'query ($after: Cursor) { me { orders(after: $after) { nodes { id } } } }';
  const entries =
    'query ($first: Int, $after: Cursor) { myAccount { entries(first: $first, after: $after) { nodes { id } } } }';
  const cases: [string, string, () => object, string][] = [
    ['of 101 rows', orders, () => ({ first: 101 }), 'first'],
    ['of -1 rows', orders, () => ({ first: -1 }), 'first'],
    ['of 101 entries', entries, () => ({ first: 101 }), 'first'],
    ['after an empty cursor', orders, () => ({ after: '' }), 'after'],
    ['after a cursor that is none', orders, () => ({ after: 'b3JkZXJz' }), 'after'],
    ['after a cursor with a NUL byte', orders, () => ({ after: `${cursors.order}\0` }), 'after'],
    [
      'after a cursor with NUL bytes inside',
      orders,
      () => ({ after: Buffer.from('orders|\0\0').toString('base64url') }),
      'after',
    ],
    ['after a cursor that is half a character', orders, () => ({ after: '\ud800' }), 'after'],
    ['after a huge cursor', orders, () => ({ after: 'A'.repeat(100_000) }), 'after'],
    ['after a number', orders, () => ({ after: 5 }), 'after'],
    ['after a cursor of another list', orders, () => ({ after: cursors.products }), 'after'],
    ['of products after an order', products, () => ({ after: cursors.order }), 'after'],
    ['of my orders after a cursor of all orders', mine, () => ({ after: cursors.order }), 'after'],
    ['of entries after an order', entries, () => ({ after: cursors.order }), 'after'],
    ['after a change of an order', orders, () => ({ after: cursors.change }), 'after'],
    ['of a user who is no id', orders, () => ({ filter: { userId: 'me' } }), 'filter.userId'],
    ['of a user who is empty', orders, () => ({ filter: { userId: '' } }), 'filter.userId'],
    ['since no moment', orders, () => ({ filter: { since: 'yesterday' } }), 'filter.since'],
    ['since an empty text', orders, () => ({ filter: { since: '' } }), 'filter.since'],
    [
      'since a day that does not exist',
      orders,
      () => ({ filter: { since: '2026-02-30T00:00:00Z' } }),
      'filter.since',
    ],
    ['until a number', orders, () => ({ filter: { until: 1_700_000_000 } }), 'filter.until'],
    ['that is searched for a NUL byte', products, () => ({ search: 'soup\0' }), 'search'],
    ['that is searched for half a character', products, () => ({ search: 'soup\ud800' }), 'search'],
    ['that is searched for a book', products, () => ({ search: 'soup'.repeat(25_000) }), 'search'],
  ];
  test.each(cases)('%s', async (_name, query, variables, field) => {
    await expectRefused(
      system,
      { query, variables: variables(), token: customer.token },
      { code: 'BAD_USER_INPUT', field },
    );
  });
});

describe('something by id is refused', () => {
  const fields = ['order', 'product', 'payment', 'delivery', 'user'];
  const ids: [string, string][] = [
    ['an empty id', ''],
    ['a number', '1'],
    ['an id with a NUL byte', `${unknownId}\0`],
    ['half a character', '\ud800'],
    ['a huge id', 'a'.repeat(100_000)],
    ['SQL', `${unknownId}' or '1'='1`],
  ];
  test.each(fields.flatMap((field) => ids.map(([name, id]) => [field, name, id] as const)))(
    '%s by %s',
    async (field, _name, id) => {
      const query = `query ($id: ID!) { ${field}(id: $id) { id } }`;
      await expectRefused(
        system,
        { query, variables: { id }, token: customer.token },
        { code: 'BAD_USER_INPUT', field: 'id' },
      );
    },
  );
  test.each(fields)('%s by an id that nobody has', async (field) => {
    const query = `query ($id: ID!) { ${field}(id: $id) { id } }`;
    await expectRefused(
      system,
      { query, variables: { id: unknownId }, token: customer.token },
      { code: 'NOT_FOUND' },
    );
  });
});
