import { expect, test } from 'vitest';
import { cancellation } from '../events/cancellation.js';
import type { ServiceName } from '../platform/config.js';
import { readSearch } from '../platform/graphql/input.js';
import { isId } from '../platform/ids.js';
import { maxReason, readReason } from '../platform/reason.js';
import { readProfile } from '../subgraphs/delivery/domain.js';
import { readOrder, readProduct } from '../subgraphs/order/domain.js';
import { attempt, serviceDatabase } from './support/service.js';
import { id, standing } from './support/standing.js';

/** A text that people write: where it is stored, and how many characters it has at most, as at the edge. */
type Text = [service: ServiceName, table: string, column: string, most: number];
const texts: Text[] = [
  ['user', 'users', 'first_name', 100],
  ['user', 'users', 'last_name', 100],
  ['order', 'products', 'name', 200],
  ['order', 'products', 'description', 2_000],
  ['order', 'orders', 'delivery_address', 500],
  ['order', 'idempotency_keys', 'key', 200],
  ['payment', 'idempotency_keys', 'key', 200],
  ['delivery', 'couriers', 'name', 100],
  ['delivery', 'delivery_changes', 'reason', maxReason],
];

const claimed = `insert into idempotency_keys (user_id, mutation, key, input_hash) values (${id(9)}, 'm', 'k', 'h')`;

test.each(texts)(
  'the database of %s takes no longer %s.%s than the edge, of %i characters',
  async (service, table, column, most) => {
    const database = await serviceDatabase(service);
    const before = table === 'idempotency_keys' ? [...standing[service], claimed] : standing[service];
    // A character that takes two places in UTF-16.
    const filled = (length: number) => `update ${table} set ${column} = repeat('💥', ${length})`;
    await expect(attempt(database, ...before, filled(most))).resolves.toBeUndefined();
    await expect(attempt(database, ...before, filled(most + 1))).rejects.toThrow(`${table}_${column}_check`);
  },
);

test('a character that takes two places in UTF-16 is one at the edge too', () => {
  const text = (length: number) => '💥'.repeat(length);
  const orderId = '0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11';
  const items = [{ productId: orderId, quantity: 1, price: '1.00' }];
  const product = { name: 'Tea', price: '1.00' };
  const cancel = { orderId, userId: orderId, by: 'customer' };
  const isTaken: [most: number, (given: string) => boolean][] = [
    [200, (name) => readProduct({ ...product, name }).ok],
    [2_000, (description) => readProduct({ ...product, description }).ok],
    [500, (deliveryAddress) => readOrder({ items, deliveryAddress }, isId).ok],
    [100, (name) => readProfile({ name }).ok],
    [maxReason, (reason) => readReason(reason).ok],
    [maxReason, (reason) => cancellation.input.safeParse({ ...cancel, reason }).success],
  ];
  for (const [index, [most, takes]] of isTaken.entries())
    expect([index, takes(text(most)), takes(text(most + 1))]).toEqual([index, true, false]);
  expect(readSearch(text(200))).toBe(`%${text(200)}%`);
  expect(() => readSearch(text(201))).toThrow('200 characters');
});
