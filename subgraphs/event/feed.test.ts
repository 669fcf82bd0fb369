import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import type { CommitPosition } from '../../platform/graphql/cursor.js';
import type { Reading } from '../../platform/live/source.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { type Held, holdTransaction, settle } from '../../test/support/deliveries.js';
import { serviceDatabase } from '../../test/support/service.js';
import { filterId, readFeed, readNow } from './feed.js';
import { makeMonths } from './partitions.js';
import type { EventFilter } from './reads.js';
import type { EventRow } from './rows.js';

const all: EventFilter = { type: null, userId: null, orderId: null, since: null, until: null };
const beginning: CommitPosition = { xid: '0', id: '0' };

let database: Database;
/** A transaction that is under way. */
let held: Held | undefined;
beforeEach(async () => {
  held = undefined;
  database = await serviceDatabase('event');
  await makeMonths(database);
});

/** Stores events of these types. */
const store = (tx: Tx, types: string[], at = new Date()) =>
  tx.query(
    `insert into events (id, at, type, source, topic, user_id, data)
     select gen_random_uuid(), $2, type, 'x', 'x', gen_random_uuid(), '{}' from unnest($1::text[]) as n (type)`,
    [types, at],
  );

async function look(after: CommitPosition | null, filter = all, limit = 500) {
  await settle(database, held);
  const [reading] = await readFeed(database)([{ id: filterId(filter), after, limit, known: false }]);
  if (!reading) throw new Error('nothing was read');
  return reading;
}

const types = ({ changes }: Reading<EventRow, CommitPosition>) => changes.map(({ value }) => value.type);

/** Everything past a position, page by page, and how many pages that took. */
async function walk(from: CommitPosition, filter = all, limit = 500) {
  const told: string[] = [];
  for (let [after, pages] = [from, 1]; ; pages += 1) {
    const reading = await look(after, filter, limit);
    told.push(...types(reading));
    if (!reading.more) return { told, pages };
    after = reading.position ?? beginning;
  }
}

async function commit(): Promise<void> {
  await held?.commit();
  held = undefined;
}

/** The events' places, in order. */
async function places(): Promise<CommitPosition[]> {
  const { rows } = await database.query<CommitPosition>(
    'select xid::text as xid, n::text as id from events e order by e.xid, e.n',
  );
  return rows;
}

test('who begins is told what comes from then on', async () => {
  await store(database, ['a']);
  await settle(database);
  const now = await readNow(database);
  // Nothing may have happened since: that is not ahead of anything.
  const { ahead, changes, position } = await look(now);
  expect({ ahead, changes }).toEqual({ ahead: false, changes: [] });
  await store(database, ['b', 'c']);
  for (const place of [now, position]) expect(types(await look(place))).toEqual(['b', 'c']);
});

test('events of all months and odd times come in the order in which they were stored', async () => {
  const times = ['2099-01-01T00:00:00Z', new Date().toISOString(), '1999-01-01T00:00:00Z'];
  for (const [index, time] of times.entries()) await store(database, [`${index}`], new Date(time));
  expect(await walk(beginning, all, 2)).toMatchObject({ told: ['0', '1', '2'] });
});

test('what a transaction under way may pass by is told once it is over, in order', async () => {
  held = await holdTransaction(database, (tx) => store(tx, ['slow']));
  await store(database, ['quick']);
  const before = await look(beginning);
  expect(before).toMatchObject({ changes: [], unsettled: true, more: false });
  await commit();
  expect(types(await look(before.position))).toEqual(['slow', 'quick']);
});

test('who comes with a place that is not settled yet is told what comes after it, nothing twice', async () => {
  held = await holdTransaction(database, (tx) => store(tx, ['slow']));
  await store(database, ['quick', 'quicker']);
  const place = (await places())[0] ?? beginning;
  const meanwhile = await look(place);
  expect(meanwhile).toMatchObject({ ahead: false, changes: [], position: place });
  await commit();
  expect(types(await look(meanwhile.position))).toEqual(['quicker']);
});

test('a place that no transaction has reached is ahead', async () => {
  await store(database, ['a']);
  const [{ xid } = beginning] = await places();
  expect((await look({ xid: String(BigInt(xid) + 1_000_000n), id: '1' })).ahead).toBe(true);
});

test('a filter passes over very many events in steps, and misses none', async () => {
  await store(database, ['rare']);
  await store(
    database,
    Array.from({ length: 4_500 }, () => 'common'),
  );
  await store(database, ['rare']);
  expect(await walk(beginning, { ...all, type: 'rare' })).toEqual({ told: ['rare', 'rare'], pages: 3 });
  expect((await walk(beginning, { ...all, type: 'common' }, 500)).told).toHaveLength(4_500);
  expect((await walk(beginning, { ...all, type: 'rare' }, 1)).told).toEqual(['rare', 'rare']);
});

test('a filter narrows by all that it names', async () => {
  await store(database, ['a', 'b']);
  await store(database, ['a'], new Date('2020-01-01T00:00:00Z'));
  const { rows } = await database.query<{ userId: string }>(
    'select user_id as "userId" from events order by n limit 1',
  );
  const year = new Date('2021-01-01T00:00:00Z');
  expect((await walk(beginning, { ...all, userId: rows[0]?.userId ?? '' })).told).toEqual(['a']);
  expect((await walk(beginning, { ...all, orderId: randomUUID() })).told).toEqual([]);
  expect((await walk(beginning, { ...all, since: year })).told).toEqual(['a', 'b']);
  expect((await walk(beginning, { ...all, until: year })).told).toEqual(['a']);
});

test('many watchers are read in one statement', async () => {
  await store(database, ['a', 'b']);
  await settle(database);
  const watch = { after: beginning, limit: 10, known: true };
  const readings = await readFeed(database)([
    { ...watch, id: filterId({ ...all, type: 'b' }) },
    { ...watch, id: filterId(all), after: await readNow(database) },
    { ...watch, id: filterId(all) },
  ]);
  expect(readings.map((reading) => reading && types(reading))).toEqual([['b'], [], ['a', 'b']]);
});
