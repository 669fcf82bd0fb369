import { randomUUID } from 'node:crypto';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { orderCancelled } from '../../events/order.js';
import { userDeleted } from '../../events/user.js';
import { type Database, openDatabase } from '../../platform/postgres/database.js';
import { explainAll, logEnd, readExplained } from '../../test/support/plans/explained.js';
import { findFullReads } from '../../test/support/plans/judge.js';
import { consumerOf, eventOf, serviceDatabase } from '../../test/support/service.js';
import { filterId, readFeed } from './feed.js';
import { makeMonths } from './partitions.js';
import { createLoaders, type EventFilter } from './reads.js';
import { consumers } from './store.js';

/** Of two months; a tenth are milestones, and one in a thousand is of a rare type. */
const events = 60_000;
const fill = `
  insert into events (id, at, type, source, topic, user_id, order_id, data)
  select uuidv7(), now() - n * interval '40 days' / ${events},
    case when n % 1000 = 0 then 'rare.type' when n % 10 = 0 then 'order.updated' else 'courier.location.updated' end,
    '/doorstep/order', 'order.updated', md5('user' || n / 30)::uuid, md5('order' || n / 100)::uuid, '{"sequence": 1}'
  from generate_series(1, ${events}) n;
  analyze`;
const times = 6;

let database: Database;
let tables: Map<string, number>;
const ends: (() => Promise<void>)[] = [];
beforeAll(async () => {
  const made = await serviceDatabase('event', (end) => ends.push(end));
  await makeMonths(made);
  await makeMonths(made, new Date(Date.now() - 40 * 24 * 3_600_000));
  await made.query(fill);
  const { rows } = await made.query<{ name: string; rows: number }>(
    'select tableoid::regclass::text as name, count(*) as rows from events group by 1',
  );
  tables = new Map(rows.map(({ name, rows: count }) => [name, count]));
  await explainAll(made.url);
  database = openDatabase({ url: made.url, service: 'event' });
  return async () => {
    await database.close();
    for (const end of ends) await end();
  };
});

const all: EventFilter = { type: null, userId: null, orderId: null, since: null, until: null };
const page = { scope: '', first: 20, after: null };
const hour = {
  since: new Date(Date.now() - 30 * 24 * 3_600_000),
  until: new Date(Date.now() - 719 * 3_600_000),
};

const loaders = () => createLoaders(database);
async function ofEvents(filter: EventFilter): Promise<void> {
  const rows = await loaders().events(filter, page);
  expect(rows.length).toBeGreaterThan(0);
  await loaders().events(filter, { ...page, after: rows.at(-1)?.id ?? null });
}

interface Ids {
  id: string;
  userId: string;
  orderId: string;
}
const someone = async (): Promise<Ids> =>
  (
    await database.query<Ids>(
      `select id, user_id as "userId", order_id as "orderId" from events order by n offset 30000 limit 1`,
      [],
    )
  ).rows[0] as Ids;

const reads: [string, (ids: Ids) => Promise<unknown>][] = [
  ['all', () => ofEvents(all)],
  ['of a rare type', () => ofEvents({ ...all, type: 'rare.type' })],
  ['of a common type', () => ofEvents({ ...all, type: 'courier.location.updated' })],
  ['of a user', ({ userId }) => ofEvents({ ...all, userId })],
  ['of an order', ({ orderId }) => ofEvents({ ...all, orderId })],
  ['of an hour', () => ofEvents({ ...all, ...hour })],
  ['of a rare type since', () => ofEvents({ ...all, type: 'rare.type', since: hour.since })],
  ['how many of a user', ({ userId }) => loaders().eventCount({ ...all, userId })],
  ['how many of an hour', () => loaders().eventCount({ ...all, ...hour })],
  ['one', ({ id }) => loaders().event.load(id)],
  ['one’s place', ({ id }) => loaders().place.load(id)],
  [
    'those of users',
    ({ userId }) =>
      loaders()
        .eventsOfUser({ ...page, first: 5 }, false)
        .rows.load(userId),
  ],
  [
    'those of users, later',
    ({ id, userId }) =>
      loaders()
        .eventsOfUser({ ...page, after: id }, true)
        .rows.load(userId),
  ],
  ['how many of users', ({ userId }) => loaders().eventsOfUser(page, false).counts.load(userId)],
  ['timelines', ({ orderId }) => loaders().timeline(50).load(orderId)],
  ['how many of each type', () => loaders().counts()],
  [
    'those since, live',
    async () => {
      const { rows } = await database.query<{ xid: string; id: string }>(
        'select xid::text as xid, (n - 10)::text as id from events e order by e.xid desc, e.n desc limit 1',
        [],
      );
      const watch = { after: rows[0] ?? null, limit: 500, known: true };
      await readFeed(database)(
        [all, { ...all, type: 'rare.type' }].map((filter) => ({ ...watch, id: filterId(filter) })),
      );
    },
  ],
  [
    'storing',
    () =>
      consumerOf(
        consumers(database, () => {}),
        orderCancelled,
      ).handle([eventOf(orderCancelled, { orderId: randomUUID(), userId: randomUUID() })]),
  ],
  [
    'erasing',
    () =>
      consumerOf(
        consumers(database, () => {}),
        userDeleted,
      ).handle([eventOf(userDeleted, { rights: 2, userId: randomUUID() })]),
  ],
];

test.each(reads)('by indexes alone: %s', async (_name, read) => {
  const ids = await someone();
  const since = await logEnd();
  // A statement that has run so often on a connection may get a plan that is made without its values.
  for (let time = 0; time < times; time += 1) await read(ids);
  const explained = await readExplained([database.url], since);
  expect(explained.length).toBeGreaterThanOrEqual(times);
  const found = explained.flatMap((one) => findFullReads(one, { tables, narrow: new Set() }));
  expect(found.map(({ table, how, rows, text }) => `${how} of ${table}, ${rows} rows, by: ${text}`)).toEqual(
    [],
  );
});

test('a time prunes months that it cannot be in', async () => {
  const since = await logEnd();
  await ofEvents({ ...all, since: new Date(Date.now() - 60_000_000) });
  const [first] = await readExplained([database.url], since);
  expect(JSON.stringify(first?.plan)).not.toContain(`"${[...tables.keys()].toSorted()[0]}"`);
});

test('where an index is missing, that is seen', async () => {
  const { userId } = await someone();
  const since = await logEnd();
  await database.query('drop index events_user_id');
  onTestFinished(
    async () =>
      void (await database.query(
        'create index events_user_id on events (user_id, at, id) where user_id is not null',
      )),
  );
  await loaders().eventCount({ ...all, userId });
  const found = (await readExplained([database.url], since)).flatMap((one) =>
    findFullReads(one, { tables, narrow: new Set() }),
  );
  expect(found.length).toBeGreaterThan(0);
});
