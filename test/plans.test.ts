import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { noting, rootFields } from './support/plans/asked.js';
import { type Explained, explainAll, logEnd, readExplained, relationsOf } from './support/plans/explained.js';
import { actByHand, letGo, watchAll } from './support/plans/flow.js';
import { busiestCustomer, type Grown, generate, type Service, services } from './support/plans/history.js';
import { type Finding, findFullReads } from './support/plans/judge.js';
import { askLists } from './support/plans/lists.js';
import {
  createDatabases,
  type Databases,
  dropDatabases,
  nowhere,
  type System,
  startSystem,
} from './support/system.js';

/** A statement that may read a whole table. */
interface Exception {
  service: Service;
  table: string;
  statement: RegExp;
  why: string;
  /** It does so only at times: when it runs first, say. */
  sometimes?: boolean;
}

const exceptions: Exception[] = [
  {
    ...{ service: 'order', table: 'orders' },
    statement: /^select count\(\*\) from orders where (?!.*user_id)/s,
    why: 'totalCount of all orders, or of all of a status or a time: staff alone asks for it, and it is all of them',
  },
  {
    ...{ service: 'user', table: 'users' },
    statement: /^select count\(\*\) from users where deleted_at is null\s*$/,
    why: 'totalCount of all users: staff alone asks for it, and it is all of them',
  },
  {
    ...{ service: 'delivery', table: 'deliveries' },
    statement: /^select count\(\*\) from deliveries d where (?!.*(user_id|courier_id))/s,
    why: 'totalCount of all deliveries, or of all of a status: staff alone asks for it, and it is all of them',
  },
  {
    ...{ service: 'delivery', table: 'couriers' },
    statement: /^select count\(\*\) from \(select k\.id.*\) k where/s,
    why: 'totalCount of couriers: staff alone asks for it, and they are as many as the city needs, however many orders',
  },
  {
    ...{ service: 'delivery', table: 'couriers' },
    statement: /^select .* from couriers [ck].*order by case when [ck]\.located_at/s,
    why: 'who is sent next is the nearest of all couriers: as many as the city needs, however many orders',
  },
  {
    ...{ service: 'delivery', table: 'couriers' },
    statement: /^select \* from \(select k\.id.*\) k where .* limit \$3$/s,
    why: 'a page of couriers of a status, which follows from what they do: walked by id until it is full',
  },
  {
    ...{ service: 'delivery', table: 'couriers' },
    statement: /^select k\.id as "courierId".* skip locked$/s,
    why: 'the couriers of the simulator, which is for demonstrations',
  },
  {
    ...{ service: 'order', table: 'outbox' },
    statement:
      /^select count\(\*\) as events.* from \(select created_at from outbox order by id limit \$1\) oldest$/s,
    why: 'what waits is counted up to a bound, and what has been published is deleted',
    sometimes: true,
  },
];

const servicesOfTheFlow = ['order', 'payment', 'delivery'];

let databases: Databases;
let grown: Record<Service, Grown>;
let explained: (Explained & { service: Service })[];
let findings: (Finding & { service: Service })[];
const asked = new Set<string>();

beforeAll(async () => {
  databases = await createDatabases();
  const filled = await Promise.all(
    services.map(async (service) => {
      const made = await generate(service, databases[service].url);
      await explainAll(databases[service].url);
      return [service, made] as const;
    }),
  );
  grown = Object.fromEntries(filled) as Record<Service, Grown>;
  const since = await logEnd();
  // With two attempts: of those that are late half wait for another courier, and half fail.
  const byHand = { DELIVERY_SIMULATION: 'off', COURIER_ASSIGNMENT: 'manual', DELIVERY_MAX_ATTEMPTS: '2' };
  await run(byHand, (system) => Promise.all([actByHand(system), askLists(system)]));
  await run({}, letGo);
  explained = await told(since);
  findings = explained.flatMap((one) =>
    findFullReads(one, grown[one.service]).map((finding) => ({ ...finding, service: one.service })),
  );
}, 240_000);
afterAll(() => dropDatabases(databases));

/** Does something on the whole system, while others watch. */
async function run(
  settings: Record<string, string>,
  act: (system: System) => Promise<unknown>,
): Promise<void> {
  // Without a cache all that is read is seen.
  const started = await startSystem({ REDIS_URL: nowhere, ...settings }, databases);
  try {
    const system = noting(started, asked);
    const stopWatching = await watchAll(system);
    await act(system);
    await stopWatching();
  } finally {
    await started.stop();
  }
}

async function told(since: number) {
  const all = await readExplained(
    services.map((service) => databases[service].url),
    since,
  );
  return all.map((one) => ({
    ...one,
    service: services.find((service) => databases[service].url.endsWith(`/${one.database}`)) as Service,
  }));
}

const excuses = ({ service, table, statement }: Exception, finding: (typeof findings)[number]): boolean =>
  finding.service === service && finding.table === table && statement.test(finding.text.trim());

test('no statement of the flow reads a table that grows as a whole', () => {
  const bad = findings.filter((finding) => !exceptions.some((exception) => excuses(exception, finding)));
  // Each statement once, with the most that it has read.
  const worst = new Map(bad.toSorted((a, b) => a.rows - b.rows).map((finding) => [finding.text, finding]));
  expect(
    [...worst.values()].map(
      ({ service, table, how, rows, text }) => `${service}: ${how} of ${table}, ${rows} rows, by: ${text}`,
    ),
  ).toEqual([]);
});

test('each exception is needed', () => {
  const needless = exceptions.filter(
    (exception) => !exception.sometimes && !findings.some((finding) => excuses(exception, finding)),
  );
  expect(needless).toEqual([]);
});

test('all that the services of the flow can be asked was asked', () => {
  expect(rootFields(servicesOfTheFlow).filter((field) => !asked.has(field))).toEqual([]);
});

test('PostgreSQL told of every table that grows, and of what triggers and foreign keys ask', () => {
  for (const service of services) {
    const mine = explained.filter((one) => one.service === service);
    const seen = new Set(mine.flatMap(({ plan }) => relationsOf(plan)));
    expect([...grown[service].tables.keys()].filter((table) => !seen.has(table))).toEqual([]);
  }
  expect(
    explained.filter(({ text }) => /^SELECT 1 FROM ONLY .* FOR KEY SHARE/.test(text)).length,
  ).toBeGreaterThan(0);
});

test('where an index is missing, that is seen', async () => {
  const client = new pg.Client({ connectionString: databases.delivery.url });
  await client.connect();
  const since = await logEnd();
  try {
    await client.query('drop index deliveries_user_id');
    await client.query('select id from deliveries where user_id = $1 order by id desc', [busiestCustomer]);
  } finally {
    await client.end();
  }
  expect((await told(since)).flatMap((one) => findFullReads(one, grown.delivery))).toMatchObject([
    { table: 'deliveries' },
  ]);
});
