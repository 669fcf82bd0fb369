import { expect, test } from 'vitest';
import type { ServiceName } from '../platform/config.js';
import { maxReason } from '../platform/reason.js';
import { attempt, serviceDatabase } from '../test/support/service.js';
import { id, standing } from '../test/support/standing.js';

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
