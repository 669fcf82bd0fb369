import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { passage } from '../testing/ports.js';
import { createTestDatabase } from '../testing/postgres.js';
import { until } from '../testing/until.js';
import { isTransient } from './errors.js';
import { createLanes, type Lanes } from './lanes.js';

let created: Awaited<ReturnType<typeof createTestDatabase>>;
let pool: pg.Pool;
let lanes: Lanes;
/** The texts of what a pool had to read. */
let elsewhere: string[];

beforeAll(async () => {
  created = await createTestDatabase('lanes');
});
beforeEach(async () => {
  elsewhere = [];
  pool = new pg.Pool({ connectionString: created.url });
  lanes = createLanes({ connectionString: created.url }, async (statement) => {
    elsewhere.push(statement.text);
    return (await pool.query(statement)).rows;
  });
  // The first read opens a lane, and does not wait for it.
  await until('a lane is open', async () => {
    const before = elsewhere.length;
    await read('SELECT 1');
    return elsewhere.length === before;
  });
  elsewhere = [];
});
afterEach(async () => {
  await lanes.close();
  await pool.end();
});
afterAll(() => created.drop());

const read = (text: string, values: unknown[] = []) => lanes.read({ name: text.slice(0, 60), text, values });
const pidOf = async (): Promise<number> => Number((await read('SELECT pg_backend_pid() AS pid'))[0]?.['pid']);

test('reads at once share a connection, and each gets its own answer', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, n) => read('SELECT $1::int AS n, pg_backend_pid() AS pid', [n])),
  );
  expect(answers.map(([row]) => row?.['n'])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(new Set(answers.map(([row]) => row?.['pid'])).size).toBe(1);
  expect(elsewhere).toEqual([]);
});

test('where there is no room, the pool reads', async () => {
  const answers = await Promise.all(Array.from({ length: 80 }, (_, n) => read('SELECT $1::int AS n', [n])));
  expect(answers.map(([row]) => row?.['n'])).toEqual(Array.from({ length: 80 }, (_, n) => n));
  expect(elsewhere.length).toBeGreaterThan(0);
});

test('what fails fails alone', async () => {
  const [before, failed, unsendable, after] = await Promise.allSettled([
    read('SELECT 1 AS n'),
    read('SELECT 1 / $1::int', [0]),
    read('SELECT $1::json', [circular()]),
    read('SELECT 2 AS n'),
  ]);
  expect(before).toMatchObject({ value: [{ n: 1 }] });
  expect(failed).toMatchObject({ reason: { message: 'division by zero' } });
  expect(unsendable).toMatchObject({ reason: { message: expect.stringContaining('circular') } });
  expect(after).toMatchObject({ value: [{ n: 2 }] });
  expect(await read('SELECT 3 AS n')).toEqual([{ n: 3 }]);
  expect(elsewhere).toEqual([]);
});

function circular(): object {
  const value: { self?: object } = {};
  value.self = value;
  return value;
}

test('nothing waits long behind a slow read, and what comes meanwhile not at all', async () => {
  const slow = read('SELECT pg_sleep(3), 1 AS slow');
  let isSlow = true;
  void slow.then(() => {
    isSlow = false;
  });
  expect(await read('SELECT 2 AS behind')).toEqual([{ behind: 2 }]);
  expect(await read('SELECT 3 AS later')).toEqual([{ later: 3 }]);
  expect(isSlow).toBe(true);
  expect(elsewhere).toEqual(['SELECT 2 AS behind', 'SELECT 3 AS later']);
  expect(await slow).toMatchObject([{ slow: 1 }]);
  expect(await read('SELECT 4 AS afterwards')).toEqual([{ afterwards: 4 }]);
  expect(elsewhere).toHaveLength(2);
});

test('a lost connection costs what stood behind nothing, and is made anew', async () => {
  const pid = await pidOf();
  const first = read('SELECT pg_sleep(10)').catch((error: unknown) => error);
  const behind = read('SELECT 2 AS behind');
  await pool.query('SELECT pg_terminate_backend($1)', [pid]);
  expect(await behind).toEqual([{ behind: 2 }]);
  expect(isTransient(await first)).toBe(true);
  await until('there is another', async () => {
    elsewhere = [];
    return (await pidOf()) !== pid && elsewhere.length === 0;
  });
});

test('a plan that a migration has made stale fails once', async () => {
  await pool.query('CREATE TABLE changed (v int)');
  await pool.query('INSERT INTO changed VALUES (1)');
  const reading = () => read('SELECT * FROM changed');
  expect(await reading()).toEqual([{ v: 1 }]);
  await pool.query('ALTER TABLE changed ALTER v TYPE text');
  const results = await Promise.allSettled([reading(), reading()]);
  expect(results).toMatchObject([{ status: 'rejected' }, { value: [{ v: '1' }] }]);
  expect(await reading()).toEqual([{ v: '1' }]);
});

test('a value that cannot be sent, or a statement that does not parse, costs no other read of its text', async () => {
  const text = 'SELECT $1::json AS given';
  await expect(read(text, [circular()])).rejects.toThrow('circular');
  for (const given of [1, 2]) expect(await read(text, [given])).toEqual([{ given }]);
  const failed = await Promise.allSettled([1, 2, 3].map(() => read('SELECT * FROM nowhere')));
  for (const one of failed) expect(one).toMatchObject({ reason: { code: '42P01' } });
});

test('a server that hangs keeps nobody from closing', async () => {
  const url = new URL(created.url);
  const way = await passage();
  await way.open(Number(url.port));
  url.host = `127.0.0.1:${way.port}`;
  const own = createLanes({ connectionString: url.href }, async () => []);
  await until('a lane is open', async () => {
    const rows = await own.read({ name: 'one', text: 'SELECT 1 AS one', values: [] });
    return rows.length === 1;
  });
  way.hold();
  await own.close();
  await way.close();
});

test('closing waits for what is under way', async () => {
  const slow = read('SELECT pg_sleep(0.2), 1 AS slow');
  await lanes.close();
  expect(await slow).toMatchObject([{ slow: 1 }]);
  const { rows } = await pool.query('SELECT 1 FROM pg_stat_activity WHERE datname = current_database()');
  expect(rows).toHaveLength(1);
});
