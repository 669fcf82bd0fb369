import { afterEach, beforeEach, expect, test } from 'vitest';
import { startHousekeeping } from './housekeeping.js';
import { openDatabase } from './postgres/database.js';
import { silent } from './testing/log.js';
import { createServiceDatabase } from './testing/service-tables.js';

let service: Awaited<ReturnType<typeof createServiceDatabase>>;

beforeEach(async () => {
  service = await createServiceDatabase();
});
afterEach(() => service.drop());

test('what is older than any duplicate can be is forgotten, and nothing else', async () => {
  const { database } = service;
  await database.query(`
    insert into inbox select 'g' || days, gen_random_uuid(), now() - days * interval '1 day' from unnest(array[0, 8, 13, 15]) as days;
    insert into idempotency_keys select gen_random_uuid(), 'm', 'k' || days, '', null, now() - days * interval '1 day'
      from unnest(array[0, 6, 8]) as days`);
  const housekeeping = startHousekeeping({ database, log: silent });
  const kept = async () =>
    (
      await database.query<{ name: string }>(
        'select group_name as name from inbox union select key from idempotency_keys order by 1',
        [],
      )
    ).rows.map(({ name }) => name);
  await expect.poll(kept).toEqual(['g0', 'g13', 'g8', 'k0', 'k6']);
  await housekeeping.stop();
});

test('while the database is away it waits for its next round, and stops at once', async () => {
  const away = openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', service: 'away' });
  await startHousekeeping({ database: away, log: silent }).stop();
  await away.close();
});
