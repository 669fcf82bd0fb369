import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import type { Database } from '../../platform/postgres/database.js';
import { serviceDatabase } from '../../test/support/service.js';
import { dropMonths, makeMonths, monthOf } from './partitions.js';

const now = new Date('2026-12-15T12:00:00Z');
const day = 24 * 60 * 60 * 1000;

let database: Database;
beforeEach(async () => {
  database = await serviceDatabase('event');
});

/** Stores an event of each of these times. */
const store = (...times: string[]) =>
  database.query(
    `insert into events (id, at, type, source, topic, data) select gen_random_uuid(), at, 'x', 'x', 'x', '{}'
     from unnest($1::timestamptz[]) as t (at)`,
    [times],
  );

/** In which partition how many events stand. */
async function places(): Promise<Record<string, number>> {
  const { rows } = await database.query<{ name: string; count: number }>(
    `select c.relname as name, (select count(*) from events where tableoid = c.oid) as count
     from pg_inherits join pg_class c on c.oid = inhrelid where inhparent = 'events'::regclass order by 1`,
  );
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}

test('a month is one of UTC', () => {
  expect(monthOf(now, 1)).toEqual({
    name: 'events_2027_01',
    from: new Date('2027-01-01T00:00:00Z'),
    to: new Date('2027-02-01T00:00:00Z'),
  });
  expect(monthOf(new Date('2027-01-31T23:59:59.999Z'), -1).name).toBe('events_2026_12');
});

test('the last month, this one and the next are made, once', async () => {
  await Promise.all([makeMonths(database, now), makeMonths(database, now)]);
  await makeMonths(database, now);
  await store('2026-10-31T23:59:59Z', '2026-11-01T00:00:00Z', '2026-12-31T23:59:59Z', '2027-02-01T00:00:00Z');
  expect(await places()).toEqual({
    events_2026_11: 1,
    events_2026_12: 1,
    events_2027_01: 0,
    events_other: 2,
  });
});

test('events that came before their month was made move there as they are', async () => {
  await store('2026-12-01T00:00:00Z', '1999-01-01T00:00:00Z', '2026-12-31T00:00:00Z', '2027-02-01T00:00:00Z');
  const all = 'select id, at, type, data::text, xid::text, n, stored_at, milestone from events order by n';
  const before = (await database.query(all)).rows;
  await makeMonths(database, now);
  await makeMonths(database, new Date(now.getTime() + 31 * day));
  expect(await places()).toEqual({
    ...{ events_2026_11: 0, events_2026_12: 2, events_2027_01: 0, events_2027_02: 1 },
    events_other: 1,
  });
  expect((await database.query(all)).rows).toEqual(before);
  // What stays there is as safe as before, and others come after.
  await expect(database.query('delete from events_other')).rejects.toThrow('never changed');
  await store('1999-01-01T00:00:00Z');
  expect((await database.query('select max(n) as n from events')).rows).toEqual([{ n: 5 }]);
});

test('a month is kept until its last event is old enough, and is dropped as a whole then', async () => {
  await makeMonths(database, now);
  await store('2026-11-01T00:00:00Z', '2026-11-30T23:59:59Z', '2026-12-01T00:00:00Z');
  const end = new Date('2026-12-01T00:00:00Z').getTime();
  expect(await dropMonths(database, 90 * day, new Date(end + 90 * day - 1))).toEqual([]);
  expect(await dropMonths(database, 90 * day, new Date(end + 90 * day))).toEqual(['events_2026_11']);
  expect(await places()).toEqual({ events_2026_12: 1, events_2027_01: 0, events_other: 0 });
});

test('events of odd times are kept until all of them are old enough', async () => {
  await store('1999-01-01T00:00:00Z', '2026-12-14T00:00:00Z');
  await dropMonths(database, 90 * day, now);
  expect(await places()).toEqual({ events_other: 2 });
  await dropMonths(database, 90 * day, new Date(now.getTime() + 90 * day));
  expect(await places()).toEqual({ events_other: 0 });
});

test('an event of any time has its place while months are made and dropped', async () => {
  const ids = Array.from({ length: 40 }, () => randomUUID());
  const storing = ids.map((id, index) =>
    database.query(`insert into events (id, at, type, source, topic) values ($1, $2, 'x', 'x', 'x')`, [
      id,
      new Date(now.getTime() + (index - 20) * 5 * day),
    ]),
  );
  await Promise.all([
    ...storing,
    makeMonths(database, now),
    makeMonths(database, new Date(now.getTime() + 40 * day)),
  ]);
  const { rows } = await database.query<{ id: string }>('select id from events');
  expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(ids));
});
