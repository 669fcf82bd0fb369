import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase } from '../testing/postgres.js';
import { isOutage, isTransient, violatedConstraint } from './errors.js';

let created: Awaited<ReturnType<typeof createTestDatabase>>;
let pool: pg.Pool;

beforeAll(async () => {
  created = await createTestDatabase('errors');
  pool = new pg.Pool({ connectionString: created.url });
  await pool.query(`
    CREATE TABLE shop (id int PRIMARY KEY);
    CREATE TABLE item (
      name text NOT NULL CONSTRAINT item_name_key UNIQUE,
      price int CONSTRAINT item_price_check CHECK (price > 0),
      shop int CONSTRAINT item_shop_fkey REFERENCES shop,
      span int4range,
      CONSTRAINT item_span_excl EXCLUDE USING gist (span WITH &&)
    );
    INSERT INTO item VALUES ('taken', 1, NULL, '[1,3)')`);
});
afterAll(async () => {
  await pool.end();
  await created.drop();
});

const caught = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );

/** The same failure as pg, as Prisma's driver adapter, and as Prisma's client report it. */
async function failures(sql: string): Promise<unknown[]> {
  const adapter = await new PrismaPg(pool).connect();
  const fromAdapter = await caught(adapter.queryRaw({ sql, args: [], argTypes: [] }));
  await adapter.dispose();
  return [await caught(pool.query(sql)), fromAdapter, asClientError('P2010', fromAdapter)];
}

const asClientError = (code: string, driverAdapterError?: unknown, message = '') =>
  Object.assign(new Error(message), { code, meta: { driverAdapterError } });

test.each([
  ["INSERT INTO item VALUES ('taken')", 'item_name_key'],
  ["INSERT INTO item VALUES ('a', 0)", 'item_price_check'],
  ["INSERT INTO item VALUES ('a', 1, 9)", 'item_shop_fkey'],
  ["INSERT INTO item VALUES ('a', 1, NULL, '[2,5)')", 'item_span_excl'],
])('%s violates %s', async (sql, name) => {
  for (const error of await failures(sql)) {
    expect(violatedConstraint(error)).toBe(name);
    expect(isTransient(error)).toBe(false);
  }
});

test.each(['INSERT INTO item VALUES (NULL)', 'SELECT 1 / 0', 'SELECT * FROM nowhere'])(
  '%s violates no named constraint, and fails again when tried again',
  async (sql) => {
    for (const error of await failures(sql)) {
      expect(violatedConstraint(error)).toBeUndefined();
      expect(isTransient(error)).toBe(false);
    }
  },
);

test.each(['40001', '40P01', '55P03', '57014', '57P01', '57P03', '53300', '08006', '25P03'])(
  'SQLSTATE %s is transient',
  async (state) => {
    const sql = `DO $$ BEGIN RAISE EXCEPTION 'staged' USING ERRCODE = '${state}'; END $$`;
    for (const error of await failures(sql)) expect(isTransient(error)).toBe(true);
  },
);

test('a server that is not there is transient', async () => {
  for (const host of ['127.0.0.1:1', 'localhost:1']) {
    const away = new pg.Pool({ connectionString: `postgresql://x:x@${host}/x` });
    const adapter = await new PrismaPg(away).connect();
    expect(isTransient(await caught(away.query('SELECT 1')))).toBe(true);
    expect(isTransient(await caught(adapter.queryRaw({ sql: 'SELECT 1', args: [], argTypes: [] })))).toBe(
      true,
    );
    await away.end();
  }
});

test('a wrong password is not', async () => {
  const url = new URL(created.url);
  url.password = 'wrong';
  const refused = new pg.Pool({ connectionString: url.href });
  expect(isTransient(await caught(refused.query('SELECT 1')))).toBe(false);
  await refused.end();
});

test('no free connection, and a connection lost on the way, are transient', async () => {
  const small = new pg.Pool({ connectionString: created.url, max: 1, connectionTimeoutMillis: 500 });
  const client = await small.connect();
  client.on('error', () => {});
  expect(isTransient(await caught(small.query('SELECT 1')))).toBe(true);
  expect(isTransient(await caught(client.query('SELECT pg_terminate_backend(pg_backend_pid())')))).toBe(true);
  expect(isTransient(await caught(client.query('SELECT 1')))).toBe(true);
  client.release(true);
  await small.end();
});

test('a cause counts, however deep, and circles end', () => {
  const inner = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
  expect(isTransient(new Error('outer', { cause: new Error('middle', { cause: inner }) }))).toBe(true);
  const circle = new Error('circle');
  circle.cause = circle;
  expect(isTransient(circle)).toBe(false);
});

test.each(['ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE'])('the network error %s is transient', (code) => {
  expect(isTransient(new AggregateError([Object.assign(new Error(code), { code })]))).toBe(true);
});

test.each(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2034', 'P2037'])(
  "Prisma's %s is transient",
  (code) => {
    expect(isTransient(asClientError(code))).toBe(true);
  },
);

test("Prisma's P2028 is transient for a timeout, not for a transaction used wrongly", () => {
  const messages = {
    'Transaction API error: Unable to start a transaction in the given time.': true,
    'Transaction API error: A query cannot be executed on an expired transaction. The timeout was 100 ms.': true,
    'Transaction API error: Transaction already closed: A query cannot be executed on a committed transaction.': false,
  };
  for (const [message, transient] of Object.entries(messages)) {
    expect(isTransient(asClientError('P2028', undefined, message))).toBe(transient);
  }
});

test.each([
  undefined,
  null,
  'ECONNREFUSED',
  42,
  new Error('ECONNREFUSED'),
  new TypeError('x is not a function'),
])('%s is no outage', (error) => {
  expect(isTransient(error)).toBe(false);
  expect(violatedConstraint(error)).toBeUndefined();
});

test.each([
  ['SELECT * FROM nowhere', true],
  ['SET ROLE nobody_at_all', false],
  ["INSERT INTO item VALUES ('taken')", false],
  ['SELECT 1 / 0', false],
])('%s: that waiting can mend it is %s', async (sql, expected) => {
  for (const error of await failures(sql)) expect(isOutage(error)).toBe(expected);
});

test('a wrong password is nothing that an event is to blame for, and a bug is no outage', async () => {
  const url = new URL(created.url);
  url.password = 'wrong';
  const client = new pg.Client({ connectionString: url.toString() });
  expect(isOutage(await caught(client.connect()))).toBe(true);
  for (const error of [new TypeError('x is undefined'), { code: 'ERR_X' }, asClientError('P2025')]) {
    expect(isOutage(error)).toBe(false);
  }
});
