import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { migrate, migrateDown } from '../../platform/migrate.js';
import { projectPath } from '../../platform/root.js';
import { handlers, moved, orderPlacer, paid, placed } from '../../test/support/order-events.js';
import { serviceDatabase } from '../../test/support/service.js';
import { type FeedPosition, readFeeds } from './live-reads.js';

/** Reads one user's feed a page at a time, as a live source does. */
function feedReader(read: ReturnType<typeof readFeeds>, id: string) {
  let after: FeedPosition | null = null;
  let known = false;
  return {
    /** The next page, as `<place> <status>`, and whether there is more. */
    async page(limit: number): Promise<{ changes: string[]; more: boolean }> {
      const [reading] = await read([{ id, after, limit, known }]);
      known = true;
      if (!reading) return { changes: [], more: false };
      after = reading.position;
      const changes = reading.changes.map(({ value }) => `${value.feed?.sequence} ${value.status}`);
      return { changes, more: reading.more };
    },
  };
}

test('a feed begins with the open orders as they are, oldest change first, and goes on with every change', async () => {
  const database = await serviceDatabase('order');
  const { payments } = handlers(database);
  const user = randomUUID();
  const [first, second, third] = await placed(database, 4, [user]);
  if (!first || !second || !third) throw new Error('three orders were placed');
  await placed(database, 2);
  await payments([paid(second), paid(third, 'INSUFFICIENT_FUNDS'), paid(first)]);
  const feed = feedReader(readFeeds(database), user);
  expect(await feed.page(10)).toEqual({ changes: ['4 PENDING', '5 PAID', '7 PAID'], more: false });
  expect(await feed.page(10)).toEqual({ changes: [], more: false });
  await (await orderPlacer(database))(user);
  await handlers(database).deliveries([moved(second, 1), moved(first, 1)]);
  expect(await feed.page(2)).toEqual({ changes: ['8 PENDING', '9 PAID'], more: true });
  expect(await feed.page(2)).toEqual({ changes: ['10 PAID'], more: false });
});

test('a user without an order has an empty feed, until the first', async () => {
  const database = await serviceDatabase('order');
  const user = randomUUID();
  const feed = feedReader(readFeeds(database), user);
  expect(await feed.page(10)).toEqual({ changes: [], more: false });
  await placed(database, 1, [user]);
  expect(await feed.page(10)).toEqual({ changes: ['1 PENDING'], more: false });
});

test('what changes while the pages of the open orders are read comes after them, once', async () => {
  const database = await serviceDatabase('order');
  const { payments } = handlers(database);
  const user = randomUUID();
  const [first, second, third, fourth, fifth] = await placed(database, 5, [user]);
  if (!first || !second || !third || !fourth || !fifth) throw new Error('five orders were placed');
  const feed = feedReader(readFeeds(database), user);
  expect(await feed.page(2)).toEqual({ changes: ['1 PENDING', '2 PENDING'], more: true });
  // One that has been read, one that has not, and one that ends before its turn.
  await payments([paid(first), paid(fourth), paid(third, 'INSUFFICIENT_FUNDS')]);
  expect(await feed.page(2)).toEqual({ changes: ['5 PENDING'], more: true });
  expect(await feed.page(2)).toEqual({ changes: ['6 PAID', '7 PAID'], more: true });
  expect(await feed.page(2)).toEqual({ changes: ['8 INSUFFICIENT_FUNDS'], more: false });
});

test('an exact number of pages of open orders ends as well', async () => {
  const database = await serviceDatabase('order');
  const user = randomUUID();
  await placed(database, 4, [user]);
  const feed = feedReader(readFeeds(database), user);
  expect(await feed.page(2)).toEqual({ changes: ['1 PENDING', '2 PENDING'], more: true });
  expect(await feed.page(2)).toEqual({ changes: ['3 PENDING', '4 PENDING'], more: true });
  expect(await feed.page(2)).toEqual({ changes: [], more: false });
});

test('a position that the feed has not reached is said to be ahead', async () => {
  const database = await serviceDatabase('order');
  const user = randomUUID();
  await placed(database, 2, [user]);
  const read = async (at: number) =>
    (await readFeeds(database)([{ id: user, after: { at, until: null }, limit: 10, known: false }]))[0];
  expect(await read(2)).toMatchObject({ ahead: false, changes: [] });
  expect(await read(3)).toMatchObject({ ahead: true, changes: [] });
});

test('the migration gives what has happened before it a place in its user’s feed', async () => {
  const database = await serviceDatabase('order');
  const place = {
    url: database.url,
    directory: projectPath('prisma', 'order', 'migrations'),
    service: 'order',
  };
  const hasFeeds = async () =>
    (await database.query(`select from pg_tables where tablename = 'order_feeds'`)).rows.length > 0;
  while (await hasFeeds()) await migrateDown(place);
  const [user, other] = [randomUUID(), randomUUID()];
  const [one, two, three] = [randomUUID(), randomUUID(), randomUUID()];
  await database.transaction(async (tx) => {
    await tx.query(
      `insert into orders (id, user_id, status, sequence, total_cents, delivery_address)
       select id, user_id, 'PAID', 2, 650, 'Long Lane 1' from unnest($1::uuid[], $2::uuid[]) as o (id, user_id)`,
      [
        [one, two, three],
        [user, user, other],
      ],
    );
    // The second change of `one` was begun before its first: the time of a row is when its transaction began.
    await tx.query(
      `insert into order_changes (order_id, sequence, status, at)
       select o, s, st, timestamptz '2026-11-21T08:00:00Z' + m * interval '1 min'
       from unnest($1::uuid[], $2::int[], $3::text[], $4::int[]) as c (o, s, st, m)`,
      [
        [one, one, two, two, three, three],
        [1, 2, 1, 2, 1, 2],
        ['PENDING', 'PAID', 'PENDING', 'PAID', 'PENDING', 'PAID'],
        [2, 1, 0, 3, 0, 1],
      ],
    );
  });
  expect((await migrate(place)).applied).toContain('20261122000000_order_feeds');
  const { rows } = await database.query<{ line: string }>(
    `select concat_ws(' ', user_sequence, order_id, sequence) as line from order_changes where user_id = $1 order by user_sequence`,
    [user],
  );
  expect(rows.map(({ line }) => line)).toEqual([`1 ${two} 1`, `2 ${one} 1`, `3 ${one} 2`, `4 ${two} 2`]);
  const { rows: feeds } = await database.query('select sequence from order_feeds order by sequence');
  expect(feeds).toEqual([{ sequence: 2 }, { sequence: 4 }]);
});
