import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { metrics } from '../metrics.js';
import { createTestDatabase } from '../testing/postgres.js';
import { type Database, type DatabaseOptions, openDatabase } from './database.js';
import { isTransient } from './errors.js';

let created: Awaited<ReturnType<typeof createTestDatabase>>;
let opened: Database[] = [];

beforeAll(async () => {
  created = await createTestDatabase('database');
});
afterEach(async () => {
  await Promise.all(opened.map((database) => database.close()));
  opened = [];
});
afterAll(() => created.drop());

function open(options: Partial<DatabaseOptions> = {}): Database {
  const database = openDatabase({ url: created.url, service: 'test', ...options });
  opened.push(database);
  return database;
}

const processId = async (on: Pick<Database, 'query'>): Promise<number> =>
  (await on.query<{ pid: number }>('SELECT pg_backend_pid() AS pid', [])).rows[0]?.pid ?? 0;

test('bigint is a number, numeric a string, timestamptz a Date', async () => {
  const { rows, rowCount } = await open().query(
    `SELECT 9007199254740991 AS big, 12.30::numeric AS cents, 'epoch'::timestamptz AS at,
            ARRAY[[1, 2], [3, NULL]]::bigint[] AS bigs, NULL::bigint AS none`,
    [],
  );
  expect(rowCount).toBe(1);
  expect(rows[0]).toEqual({
    big: Number.MAX_SAFE_INTEGER,
    cents: '12.30',
    at: new Date(0),
    bigs: [
      [1, 2],
      [3, null],
    ],
    none: null,
  });
});

test('a bigint that is not safe as a number throws, and the connection goes on', async () => {
  const database = open({ max: 1 });
  await expect(database.query('SELECT 9007199254740993 AS big', [])).rejects.toThrow('9007199254740993');
  await database.transaction(async (tx) => {
    await expect(tx.query('SELECT 9007199254740993 AS big', [])).rejects.toThrow('9007199254740993');
    expect((await tx.query('SELECT 1 AS one', [])).rows).toEqual([{ one: 1 }]);
  });
});

test('the parsers belong to the pool: others keep theirs', async () => {
  const client = new pg.Client({ connectionString: created.url });
  await client.connect();
  expect((await client.query('SELECT 1::bigint AS big')).rows).toEqual([{ big: '1' }]);
  await client.end();
});

test('a statement with values is prepared once a connection, others are not', async () => {
  const database = open({ max: 1 });
  const prepared = 'SELECT count(*) AS n FROM pg_prepared_statements';
  for (const value of [1, 2, 3]) {
    expect(await database.read<{ v: number }>('SELECT $1::int AS v', [value])).toEqual([{ v: value }]);
  }
  expect((await database.query(prepared)).rows).toEqual([{ n: 1 }]);
  await database.query('SELECT 5 AS five', []);
  expect((await database.query(prepared)).rows).toEqual([{ n: 2 }]);
});

test('without values several statements go at once, and utility statements work', async () => {
  const database = open();
  const { rows } = await database.query(
    'CREATE TABLE many (id int); INSERT INTO many VALUES (1), (2); TABLE many',
  );
  expect(rows).toEqual([{ id: 1 }, { id: 2 }]);
  expect(await database.query('DELETE FROM many')).toEqual({ rows: [], rowCount: 2 });
  expect(await database.query('VACUUM many')).toEqual({ rows: [], rowCount: 0 });
});

test('a read is counted, a query is not', async () => {
  const database = open({ service: 'counted' });
  await database.read('SELECT 1');
  await database.read('SELECT $1::int', [1]);
  await database.query('SELECT 1');
  const { values } = await metrics.postgresReads.get();
  expect(values.find(({ labels }) => labels.service === 'counted')?.value).toBe(2);
});

test('a transaction commits what it did, or nothing', async () => {
  const database = open();
  await database.query('CREATE TABLE kept (id int)');
  const result = await database.transaction(async (tx) => {
    await tx.query('INSERT INTO kept VALUES ($1)', [1]);
    return 'result';
  });
  expect(result).toBe('result');
  const failure = new Error('no');
  const failing = database.transaction(async (tx) => {
    await tx.query('INSERT INTO kept VALUES ($1)', [2]);
    throw failure;
  });
  await expect(failing).rejects.toBe(failure);
  expect((await database.query('TABLE kept')).rows).toEqual([{ id: 1 }]);
});

test('a transaction whose failed statement was swallowed does not pass for committed', async () => {
  const database = open();
  const work = database.transaction(async (tx) => {
    await tx.query('SELECT 1 / 0', []).catch(() => {});
  });
  await expect(work).rejects.toThrow('rolled back');
});

test('a query after the end of its transaction is refused', async () => {
  const tx = await open().transaction(async (inside) => inside);
  await expect(tx.query('SELECT 1')).rejects.toThrow('this transaction is over');
});

test('a client lost in a transaction is not used again, and does not end the process', async () => {
  const lost: Error[] = [];
  const database = open({ max: 1, onError: (error) => lost.push(error) });
  const other = open();
  let pid = 0;
  const work = database.transaction(async (tx) => {
    pid = await processId(tx);
    await other.query('SELECT pg_terminate_backend($1)', [pid]);
    await expect.poll(() => lost.length, { timeout: 10_000 }).toBeGreaterThan(0);
    await tx.query('SELECT 1', []);
  });
  expect(isTransient(await work.catch((error: unknown) => error))).toBe(true);
  expect(await processId(database)).not.toBe(pid);
});

test('a client whose rollback fails is destroyed', async () => {
  const database = open({ max: 1 });
  let pid = 0;
  const work = database.transaction(async (tx) => {
    pid = await processId(tx);
    await tx.query('SELECT pg_terminate_backend(pg_backend_pid())', []);
  });
  expect(isTransient(await work.catch((error: unknown) => error))).toBe(true);
  expect(database.pool.totalCount).toBe(0);
  expect(await processId(database)).not.toBe(pid);
});

test('an idle connection that the server drops is replaced', async () => {
  const lost: Error[] = [];
  const database = open({ max: 1, onError: (error) => lost.push(error) });
  const pid = await processId(database);
  await open().query('SELECT pg_terminate_backend($1)', [pid]);
  await expect.poll(() => lost.length, { timeout: 10_000 }).toBe(1);
  expect(await processId(database)).not.toBe(pid);
});

test('a statement prepared before a migration costs one transaction, which can be tried again', async () => {
  const database = open({ max: 1 });
  await database.query('CREATE TABLE widened AS SELECT 1 AS a');
  const work = () => database.transaction((tx) => tx.query('SELECT * FROM widened', []));
  await work();
  await open().query('ALTER TABLE widened ADD COLUMN b int');
  expect(isTransient(await work().catch((error: unknown) => error))).toBe(true);
  expect((await work()).rows).toEqual([{ a: 1, b: null }]);
});

test('the statement timeout ends a slow statement, as an error that may be tried again', async () => {
  const slow = open({ statementTimeoutMs: 20 }).query('SELECT pg_sleep(10)');
  expect(isTransient(await slow.catch((error: unknown) => error))).toBe(true);
});

test('a transaction that does nothing for too long is ended, as an error that may be tried again', async () => {
  const database = open({ idleInTransactionMs: 20 });
  const failure = database.transaction(async (tx) => {
    const pid = await processId(tx);
    const there = async () =>
      (await database.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid])).rowCount;
    await expect.poll(there, { timeout: 10_000 }).toBe(0);
    await tx.query('SELECT 1');
  });
  expect(isTransient(await failure.catch((error: unknown) => error))).toBe(true);
});

test('closing waits for what runs, and again is harmless', async () => {
  const database = open();
  const running = database.query<{ done: number }>('SELECT 1 AS done, pg_sleep(0.1)');
  await expect.poll(() => database.pool.totalCount, { timeout: 10_000 }).toBe(1);
  await Promise.all([database.close(), database.close()]);
  expect((await running).rows[0]?.done).toBe(1);
  expect(isTransient(await database.query('SELECT 1').catch((error: unknown) => error))).toBe(true);
});

test('connections that the server ends at the worst moments end no process', async () => {
  const database = open();
  const killer = new pg.Client({ connectionString: created.url });
  await killer.connect();
  let killing = true;
  const kill = async () => {
    while (killing) {
      await killer.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`);
    }
  };
  const work = async () => {
    let done = 0;
    for (let round = 0; round < 40; round += 1) {
      await database.transaction((tx) => tx.query('SELECT 1', [])).then(() => (done += 1), expectTransient);
    }
    return done;
  };
  const expectTransient = (error: unknown) => expect(isTransient(error)).toBe(true);
  const killed = kill();
  await Promise.all(Array.from({ length: 10 }, work));
  killing = false;
  await killed;
  await killer.end();
  // An uncaught error fails the run; this only tells that it goes on.
  await expect.poll(() => database.query('SELECT 1').catch(() => undefined)).toBeDefined();
});
