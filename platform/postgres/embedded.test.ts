import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { commandLine, exists } from '../processes.js';
import { type Script, startScript } from '../testing/script.js';
import { binaries, owner } from './binaries.js';
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded.js';
import { findRunning, startServer, stopServer } from './postmaster.js';

// Processes take their time to start on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** One cluster for the tests that only need any: making one takes a second. */
let shared: string;
let started: EmbeddedPostgres[] = [];
let scripts: Script[] = [];
let logged: string[] = [];
const directories: string[] = [];

beforeAll(async () => {
  shared = await newDirectory();
  await (await start(shared)).stop();
});
afterEach(async () => {
  await Promise.all(scripts.map((script) => script.kill()));
  await Promise.all(started.map((server) => server.stop()));
  scripts = [];
  started = [];
  logged = [];
});
afterAll(() => Promise.all(directories.map((path) => rm(path, { recursive: true }))));

async function newDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'doorstep-embedded-'));
  await chmod(path, 0o711);
  directories.push(path);
  return path;
}

async function start(
  dataDir: string,
  options: Partial<EmbeddedPostgresOptions> = {},
): Promise<EmbeddedPostgres> {
  const log = (line: string) => void logged.push(line);
  const server = await startEmbeddedPostgres({ dataDir, databases: [], durable: false, log, ...options });
  started.push(server);
  return server;
}

/** A process that starts the server, prints its number and URL, and stays. */
async function startElsewhere(
  dataDir: string,
  { durable = false, afterwards = '' } = {},
): Promise<{ script: Script; pid: number; url: string }> {
  const script = startScript(`
    import { startEmbeddedPostgres } from './platform/postgres/embedded.ts';
    import pg from 'pg';
    setInterval(() => {}, 1000);
    const server = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, databases: [], durable: ${durable} });
    console.log(server.url('postgres'));
    ${afterwards}`);
  scripts.push(script);
  return { script, url: await script.line(), pid: await postmaster(dataDir) };
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const result = await client.query(sql).finally(() => client.end());
  return result.rows;
}

const pidFile = (dataDir: string) => join(dataDir, 'postgres', 'postmaster.pid');
const postmaster = async (dataDir: string) =>
  Number((await readFile(pidFile(dataDir), 'utf8')).split('\n')[0]);
const gone = (pid: number) => expect.poll(() => commandLine(pid), { timeout: 10_000 }).toBeUndefined();

test('the first start makes the databases and the next one keeps what is in them', async () => {
  const dataDir = join(await newDirectory(), 'below', '.data');
  const first = await start(dataDir, { databases: ['user', 'order'], durable: true });
  await query(first.url('user'), 'CREATE TABLE kept (id int)');
  expect(await commandLine(await postmaster(dataDir))).toContain(` -D ${dataDir}/postgres `);
  const settings =
    "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) AS all FROM pg_settings WHERE name IN ('fsync', 'listen_addresses', 'max_connections', 'unix_socket_directories')";
  expect(await query(first.url('order'), settings)).toEqual([
    { all: 'fsync=on listen_addresses=127.0.0.1 max_connections=200 unix_socket_directories=' },
  ]);
  const password = join(dataDir, 'postgres-password');
  expect((await stat(password)).mode & 0o777).toBe(0o600);
  expect(first.url('user')).toContain(`:${await readFile(password, 'utf8')}@127.0.0.1:${first.port}/`);
  await first.stop();

  const second = await start(dataDir, { databases: ['user', 'order', 'payment'] });
  expect(await query(second.url('user'), 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 0 }]);
  expect(await query(second.url('payment'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('stopping ends the process, open connections or not, and twice is harmless', async () => {
  const server = await start(shared);
  const pid = await postmaster(shared);
  const client = new pg.Client({ connectionString: server.url('postgres') });
  client.on('error', () => {});
  await client.connect();
  await Promise.all([server.stop(), server.stop()]);
  expect(await commandLine(pid)).toBeUndefined();
  expect(await readdir(join(shared, 'postgres'))).not.toContain('postmaster.pid');
});

test('a server that outlives its killed parent is used, and stopped in the end', async () => {
  const { script, pid, url } = await startElsewhere(shared);
  await script.kill();
  expect(exists(pid)).toBe(true);
  const server = await start(shared);
  expect(server.url('postgres')).toBe(url);
  expect(await postmaster(shared)).toBe(pid);
  expect(logged.join()).toContain(`using the PostgreSQL server that was left running (process ${pid})`);
  await server.stop();
  await gone(pid);
});

test('one that is just stopping is waited for', async () => {
  const { script, pid } = await startElsewhere(shared);
  await script.kill();
  process.kill(pid, 'SIGINT');
  const server = await start(shared);
  expect(await query(server.url('postgres'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('one that does not answer is stopped', async () => {
  const { script, pid, url } = await startElsewhere(shared);
  await script.kill();
  process.kill(pid, 'SIGSTOP');
  const cluster = { directory: join(shared, 'postgres'), password: new URL(url).password };
  expect(
    await findRunning(cluster, (line) => logged.push(line), { answer: 0, start: 0, stop: 50 }),
  ).toBeUndefined();
  expect(logged.join()).toContain('it does not answer');
  await gone(pid);
  await start(shared);
});

test('a killed server is started anew with all that was committed', async () => {
  const { script, pid, url } = await startElsewhere(shared, { durable: true });
  await query(url, 'CREATE TABLE survivor (id int)');
  await script.kill();
  process.kill(pid, 'SIGKILL');
  const server = await start(shared);
  expect(await postmaster(shared)).not.toBe(pid);
  expect(await query(server.url('postgres'), 'SELECT count(*)::int AS n FROM survivor')).toEqual([{ n: 0 }]);
});

test.each([
  ['of ours', (dataDir: string) => start(dataDir, { durable: true })],
  ['that had been left running', startLeft],
])('a server %s that is killed is started again on its port', async (_, begin) => {
  const server = await begin(shared);
  await query(server.url('postgres'), 'CREATE TABLE IF NOT EXISTS outlived (id int)');
  const pid = await postmaster(shared);
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => logged, { timeout: 20_000 }).toContain('PostgreSQL runs again');
  expect(logged.join()).toContain('PostgreSQL is gone');
  expect(await query(server.url('postgres'), 'SELECT count(*)::int AS n FROM outlived')).toEqual([{ n: 0 }]);
  const next = await postmaster(shared);
  expect(next).not.toBe(pid);
  await server.stop();
  await gone(next);
});

async function startLeft(dataDir: string): Promise<EmbeddedPostgres> {
  await (await startElsewhere(dataDir, { durable: true })).script.kill();
  return start(dataDir);
}

test('stopping while it is started again leaves none', async () => {
  const server = await start(shared);
  process.kill(await postmaster(shared), 'SIGKILL');
  await expect.poll(() => logged.join(), { timeout: 10_000, interval: 5 }).toContain('PostgreSQL is gone');
  await server.stop();
  await expect(query(server.url('postgres'), 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
  expect(await commandLine(await postmaster(shared).catch(() => 0))).toBeUndefined();
});

test('a process that exits without stopping it tells it to end', async () => {
  const { script, pid } = await startElsewhere(shared, {
    afterwards: `process.on('SIGTERM', () => process.exit(1)); console.log('listening');`,
  });
  expect(await script.line()).toBe('listening');
  script.child.kill('SIGTERM');
  await gone(pid);
});

test('a pid file whose number another program has now is stale, and that program is left alone', async () => {
  const { script, pid } = await startElsewhere(shared);
  await script.kill();
  process.kill(pid, 'SIGKILL');
  await gone(pid);
  const innocent = spawn('sleep', ['60'], { ...(await owner()), stdio: 'ignore' });
  await once(innocent, 'spawn');
  try {
    const [, ...rest] = (await readFile(pidFile(shared), 'utf8')).split('\n');
    await writeFile(pidFile(shared), [innocent.pid, ...rest].join('\n'));
    await start(shared);
    expect(innocent.exitCode ?? innocent.signalCode).toBeNull();
  } finally {
    innocent.kill();
  }
});

test.each([
  ['left alone by its parent', (script: Script) => script.kill()],
  ['killed with its parent', killGroup],
])('an initdb that was %s on its way is done again', async (_, kill) => {
  const dataDir = await newDirectory();
  const script = startScript(`
    import { startEmbeddedPostgres } from './platform/postgres/embedded.ts';
    await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, databases: [], durable: false });`);
  scripts.push(script);
  const unfinished = async () =>
    (await readdir(dataDir)).find((name) => name.startsWith('postgres.init-')) ?? 'none';
  const written = async () => readdir(join(dataDir, await unfinished(), 'pgdata')).catch(() => []);
  await expect.poll(written, { interval: 5, timeout: 10_000 }).toContain('PG_VERSION');
  await kill(script);
  expect(await readdir(dataDir)).toContain(await unfinished());

  const server = await start(dataDir);
  expect(await query(server.url('postgres'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(await readdir(dataDir)).toEqual(['postgres', 'postgres-password', 'postgres.log']);
});

/** The script and what it has started, as a machine that goes down does. */
async function killGroup({ child }: Script): Promise<void> {
  const exit = once(child, 'exit');
  process.kill(-(child.pid ?? 0), 'SIGKILL');
  await exit;
}

test('a directory that is no complete cluster is set aside, not used and not lost', async () => {
  const dataDir = await newDirectory();
  await mkdir(join(dataDir, 'postgres'));
  await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '18\n');
  await start(dataDir);
  const aside = (await readdir(dataDir)).find((name) => name.startsWith('postgres.broken-'));
  expect(await readdir(join(dataDir, aside ?? ''))).toEqual(['PG_VERSION']);
  expect(logged.join()).toContain(`moved to ${join(dataDir, aside ?? '')}`);
});

test("the terminal's Ctrl-C does not reach the server before us", async () => {
  const { script } = await startElsewhere(shared, {
    afterwards: `process.on('SIGINT', async () => {
      const client = new pg.Client({ connectionString: server.url('postgres') });
      await client.connect();
      console.log('still there', (await client.query('SELECT 1 AS one')).rows[0].one);
      await client.end();
      await server.stop();
      process.exit(0);
    });
    console.log('listening');`,
  });
  expect(await script.line()).toBe('listening');
  const pid = await postmaster(shared);
  process.kill(-(script.child.pid ?? 0), 'SIGINT');
  expect(await script.line()).toBe('still there 1');
  await gone(pid);
});

test('a port that was taken in the meantime is replaced by another', async () => {
  await (await start(shared)).stop();
  const squatter = createServer().listen(0, '127.0.0.1');
  const free = createServer().listen(0, '127.0.0.1');
  await Promise.all([once(squatter, 'listening'), once(free, 'listening')]);
  const [taken, other] = [squatter, free].map((server) => (server.address() as { port: number }).port);
  free.close();
  const ports = [taken ?? 0, other ?? 0];
  const cluster = { directory: join(shared, 'postgres'), password: '' };
  const server = await startServer({
    cluster,
    binaries: await binaries(),
    owner: await owner(),
    logFile: join(shared, 'postgres.log'),
    durable: false,
    choosePort: async () => ports.shift() ?? 0,
  });
  expect(server.port).toBe(other);
  await stopServer(server, cluster);
  squatter.close();
});

test('a server that cannot start says why in one line', async () => {
  const dataDir = await newDirectory();
  await (await start(dataDir)).stop();
  await writeFile(join(dataDir, 'postgres', 'postgresql.conf'), 'no_such_setting = 1\n');
  const message = await start(dataDir).catch((error: Error) => error.message);
  expect(message).toMatch(/^PostgreSQL did not start: .*no_such_setting.*$/);
});

test.skipIf(process.getuid?.() !== 0)(
  'as root, a parent that the postgres user may not enter is named',
  async () => {
    const closed = await newDirectory();
    const dataDir = join(closed, '.data');
    await mkdir(dataDir);
    await chmod(closed, 0o700);
    await expect(start(dataDir)).rejects.toThrow(`may not enter ${closed}: chmod o+x ${closed}`);
  },
);
