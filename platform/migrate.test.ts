import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checksum } from './migrate/folder.js';
import { MigrationError, migrate, migrateDown, migrationStatus } from './migrate.js';
import { createTestDatabase } from './testing/postgres.js';

const FIRST = '20250101000000_first';
const SECOND = '20250102000000_second';

let created: Awaited<ReturnType<typeof createTestDatabase>>;
let client: pg.Client;
let directory: string;
let logged: string[];

beforeEach(async () => {
  created = await createTestDatabase('migrate');
  client = new pg.Client({ connectionString: created.url });
  await client.connect();
  directory = await mkdtemp(join(tmpdir(), 'doorstep-migrations-'));
  logged = [];
  await writeFile(join(directory, 'migration_lock.toml'), 'provider = "postgresql"\n');
  await put(FIRST, 'CREATE TABLE first (id int);\n', 'DROP TABLE first;\n');
  await put(SECOND, 'CREATE TABLE second (id int);\nINSERT INTO first VALUES (2);\n', 'DROP TABLE second;\n');
});
afterEach(async () => {
  await client.end();
  await created.drop();
  await rm(directory, { recursive: true });
});

async function put(name: string, up: string, down?: string): Promise<void> {
  await mkdir(join(directory, name), { recursive: true });
  await writeFile(join(directory, name, 'migration.sql'), up);
  if (down !== undefined) await writeFile(join(directory, name, 'down.sql'), down);
}

const options = () => ({
  url: created.url,
  directory,
  service: 'shop',
  log: (line: string) => void logged.push(line),
});

const tables = async (): Promise<string[]> => {
  const sql =
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '\\_%' ORDER BY 1";
  return (await client.query<{ tablename: string }>(sql)).rows.map((row) => row.tablename);
};

const states = async () => (await migrationStatus(options())).map(({ name, state }) => `${name} ${state}`);

async function problemOf(work: Promise<unknown>): Promise<MigrationError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(MigrationError);
  expect((error as MigrationError).message).not.toContain('\n');
  expect((error as MigrationError).service).toBe('shop');
  return error as MigrationError;
}

test('the first start applies all in order, the next one nothing', async () => {
  expect(await states()).toEqual([`${FIRST} pending`, `${SECOND} pending`]);
  expect(await migrate(options())).toEqual({ applied: [FIRST, SECOND] });
  expect(await tables()).toEqual(['first', 'second']);
  expect(await states()).toEqual([`${FIRST} applied`, `${SECOND} applied`]);
  expect(await migrate(options())).toEqual({ applied: [] });
  await put('20250103000000_third', 'CREATE TABLE third (id int)');
  expect(await migrate(options())).toEqual({ applied: ['20250103000000_third'] });
});

test('the status changes nothing, and tells when', async () => {
  expect((await migrationStatus(options()))[0]).toEqual({ name: FIRST, state: 'pending', at: null });
  expect((await client.query("SELECT to_regclass('_prisma_migrations') AS found")).rows).toEqual([
    { found: null },
  ]);
  await migrate(options());
  const { at } = (await migrationStatus(options()))[0] ?? {};
  expect(Math.abs(Date.now() - (at?.getTime() ?? 0))).toBeLessThan(60_000);
});

test('the table is the one of Prisma, and its rows are what Prisma would write', async () => {
  await migrate(options());
  const columns = await client.query(`
    SELECT column_name AS name, udt_name AS type, character_maximum_length AS size, is_nullable AS nullable, column_default AS value
    FROM information_schema.columns WHERE table_name = '_prisma_migrations' ORDER BY ordinal_position`);
  expect(columns.rows.map((row) => Object.values(row).join(' '))).toEqual([
    'id varchar 36 NO ',
    'checksum varchar 64 NO ',
    'finished_at timestamptz  YES ',
    'migration_name varchar 255 NO ',
    'logs text  YES ',
    'rolled_back_at timestamptz  YES ',
    'started_at timestamptz  NO now()',
    'applied_steps_count int4  NO 0',
  ]);
  const { rows } = await client.query('SELECT * FROM _prisma_migrations ORDER BY migration_name');
  const sum = checksum(await readFile(join(directory, FIRST, 'migration.sql'), 'utf8'));
  expect(sum).toMatch(/^[0-9a-f]{64}$/);
  expect(rows[0]).toMatchObject({
    migration_name: FIRST,
    checksum: sum,
    logs: null,
    rolled_back_at: null,
    applied_steps_count: 1,
  });
  expect(rows[0]?.finished_at.getTime()).toBeGreaterThanOrEqual(rows[0]?.started_at.getTime());
});

test('a migration edited after it was applied stops the start by name, before anything is applied', async () => {
  await migrate(options());
  await put(FIRST, 'CREATE TABLE first (id bigint);\n');
  await put('20250103000000_third', 'CREATE TABLE third (id int)');
  const error = await problemOf(migrate(options()));
  expect(error).toMatchObject({ problem: 'edited', migration: FIRST });
  expect(error.message).toContain(`shop: migration ${FIRST} was edited`);
  expect(await tables()).toEqual(['first', 'second']);
  expect(await states()).toEqual([`${FIRST} edited`, `${SECOND} applied`, '20250103000000_third pending']);
});

test('an edited migration can be undone, and applied as it is now', async () => {
  await migrate(options());
  await put(SECOND, 'CREATE TABLE second (id bigint);\n');
  expect(await migrateDown(options())).toEqual({ undone: [SECOND] });
  expect(await migrate(options())).toEqual({ applied: [SECOND] });
});

test('other line endings are no edit', async () => {
  await migrate(options());
  await put(FIRST, 'CREATE TABLE first (id int);\r\n');
  expect(await migrate(options())).toEqual({ applied: [] });
});

test('a failing migration is named with its line, leaves nothing, and the next start tries it again', async () => {
  await put(SECOND, "CREATE TABLE second (id int);\nSELECT 'ü', nothing;\n");
  const error = await problemOf(migrate(options()));
  expect(error).toMatchObject({ problem: 'failed', migration: SECOND });
  expect(error.message).toMatch(
    /^shop: migration 20250102000000_second failed.*column "nothing" does not exist \(line 2\)$/,
  );
  expect(await tables()).toEqual(['first']);
  expect(await states()).toEqual([`${FIRST} applied`, `${SECOND} pending`]);
  await put(SECOND, 'CREATE TABLE second (id int);\n');
  expect(await migrate(options())).toEqual({ applied: [SECOND] });
});

test('a constraint checked at COMMIT fails a migration as well', async () => {
  await put(
    SECOND,
    'CREATE TABLE second (id int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO second VALUES (1), (1);',
  );
  expect(await problemOf(migrate(options()))).toMatchObject({ problem: 'failed', migration: SECOND });
  expect(await states()).toEqual([`${FIRST} applied`, `${SECOND} pending`]);
});

test('a migration whose row cannot be written leaves nothing either', async () => {
  const refuse = `ALTER TABLE _prisma_migrations ADD CHECK (migration_name <> '${SECOND}')`;
  await put(SECOND, `CREATE TABLE second (id int);\n${refuse};\n`);
  expect(await problemOf(migrate(options()))).toMatchObject({ problem: 'failed', migration: SECOND });
  expect(await tables()).toEqual(['first']);
});

test('two first starts at once: one migrates, the other waits and finds it done', async () => {
  const both = await Promise.all([migrate(options()), migrate(options()), migrate(options())]);
  expect(both.flatMap(({ applied }) => applied)).toEqual([FIRST, SECOND]);
  expect((await client.query('SELECT count(*)::int AS n FROM _prisma_migrations')).rows).toEqual([{ n: 2 }]);
});

test("a start waits for the Prisma CLI's lock, and says so", async () => {
  await client.query('SELECT pg_advisory_lock(72707369)');
  const start = migrate(options());
  await expect
    .poll(() => logged, { timeout: 10_000 })
    .toEqual(['another process is migrating; waiting for it']);
  expect(await tables()).toEqual([]);
  await client.query('SELECT pg_advisory_unlock(72707369)');
  expect(await start).toEqual({ applied: [FIRST, SECOND] });
});

test('a start that waits for the lock can be told to stop', async () => {
  await client.query('SELECT pg_advisory_lock(72707369)');
  const told = new AbortController();
  const start = migrate({ ...options(), signal: told.signal });
  await expect.poll(() => logged, { timeout: 10_000 }).toHaveLength(1);
  told.abort(new Error('told to stop'));
  await expect(start).rejects.toThrow('told to stop');
  await client.query('SELECT pg_advisory_unlock(72707369)');
  expect(await tables()).toEqual([]);
});

test('down undoes the last one, or several, and up applies them again', async () => {
  await migrate(options());
  expect(await migrateDown(options())).toEqual({ undone: [SECOND] });
  expect(await tables()).toEqual(['first']);
  expect(await states()).toEqual([`${FIRST} applied`, `${SECOND} pending`]);
  expect(await migrate(options())).toEqual({ applied: [SECOND] });
  expect(await migrateDown({ ...options(), steps: 5 })).toEqual({ undone: [SECOND, FIRST] });
  expect(await tables()).toEqual([]);
  expect(await migrateDown(options())).toEqual({ undone: [] });
  expect(await migrate(options())).toEqual({ applied: [FIRST, SECOND] });
});

test('nothing is undone when one on the way has no down.sql', async () => {
  await migrate(options());
  await rm(join(directory, FIRST, 'down.sql'));
  expect(await problemOf(migrateDown({ ...options(), steps: 2 }))).toMatchObject({
    problem: 'no-down',
    migration: FIRST,
  });
  expect(await tables()).toEqual(['first', 'second']);
  expect(await migrateDown({ ...options(), steps: 0 })).toEqual({ undone: [] });
});

test('a down.sql that fails undoes nothing', async () => {
  await put(SECOND, 'CREATE TABLE second (id int);\n', 'DROP TABLE second; DROP TABLE nowhere;');
  await migrate(options());
  expect(await problemOf(migrateDown(options()))).toMatchObject({ problem: 'failed', migration: SECOND });
  expect(await tables()).toEqual(['first', 'second']);
  expect(await states()).toEqual([`${FIRST} applied`, `${SECOND} applied`]);
});

test('what the Prisma CLI left failed stops the start by name, until it is resolved', async () => {
  await migrate(options());
  const failing = '20250103000000_third';
  await put(failing, 'CREATE TABLE third (id int)');
  await client.query(
    "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES ('x', 'y', $1, 'boom')",
    [failing],
  );
  expect(await states()).toContain(`${failing} failed`);
  for (const work of [migrate, migrateDown]) {
    expect(await problemOf(work(options()))).toMatchObject({ problem: 'failed-before', migration: failing });
  }
  await client.query("UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = 'x'");
  expect(await migrate(options())).toEqual({ applied: [failing] });
});

test('a migration that only the database knows is a warning', async () => {
  await migrate(options());
  await rm(join(directory, SECOND), { recursive: true });
  logged = [];
  expect(await migrate(options())).toEqual({ applied: [] });
  expect(logged).toEqual([`the database has migration ${SECOND}, which this version does not know`]);
  expect(await states()).toEqual([`${FIRST} applied`, `${SECOND} unknown`]);
});

test('a SET in one migration does not reach the next, nor our own table', async () => {
  await put(
    FIRST,
    "SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE public.first (id int);",
  );
  expect(await migrate(options())).toEqual({ applied: [FIRST, SECOND] });
});

test('a migration with a transaction of its own is refused; PL/pgSQL blocks are none', async () => {
  await put(FIRST, 'BEGIN;\nCREATE TABLE first (id int);\nCOMMIT;\n');
  expect(await problemOf(migrate(options()))).toMatchObject({ problem: 'failed', migration: FIRST });
  expect(await tables()).toEqual([]);
  await put(
    FIRST,
    'CREATE TABLE first (id int);\nDO $$\nBEGIN\n  INSERT INTO first VALUES (1);\nEND;\n$$;\n',
  );
  expect(await migrate(options())).toEqual({ applied: [FIRST, SECOND] });
});

test('a folder without migration.sql, and no folder at all, stop the start', async () => {
  await rm(join(directory, SECOND, 'migration.sql'));
  expect(await problemOf(migrate(options()))).toMatchObject({ problem: 'missing', migration: SECOND });
  const none = migrate({ ...options(), directory: join(directory, 'none') });
  expect(await problemOf(none)).toMatchObject({ problem: 'missing', migration: undefined });
});
