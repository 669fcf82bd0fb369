import { createServer } from 'node:net';
import { pino } from 'pino';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { MigrationError } from '../migrate/error.js';
import { passage } from '../testing/ports.js';
import { createTestDatabase, testServer } from '../testing/postgres.js';
import { until } from '../testing/until.js';
import { whenReachable } from './reach.js';

let said: { level: number; msg: string; database: string; reason?: string }[];
const log = pino({}, { write: (line) => void said.push(JSON.parse(line)) });
let stop: AbortController;

beforeEach(() => {
  said = [];
  stop = new AbortController();
});

const reach = <T>(url: string, work: () => Promise<T>) =>
  whenReachable({ url, log, signal: stop.signal, work });
const waitingFor = (pattern: RegExp) =>
  until('it says what it waits for', () => said.some(({ reason = '' }) => pattern.test(reason)));

/** The test run's server at a port that is closed as yet. */
async function behindPassage() {
  const { url, drop } = await createTestDatabase();
  const way = await passage();
  onTestFinished(async () => {
    await way.close();
    await drop();
  });
  const there = new URL(url);
  const here = new URL(url);
  here.port = String(way.port);
  return { url: here.href, place: here.host + here.pathname, open: () => way.open(Number(there.port)), way };
}

test('it says once what it waits for, with the reason and no password, and does the work when that is there', async () => {
  const { url, place, way, open } = await behindPassage();
  let tries = 0;
  let connections = 0;
  const hasty = createServer((socket) => {
    connections += 1;
    socket.resume().end();
  }).listen(way.port, '127.0.0.1');
  const done = reach(url, async () => {
    tries += 1;
    return 'done';
  });
  await until('it has tried often', () => connections > 3);
  await new Promise((resolve) => hasty.close(resolve));
  await waitingFor(/ECONNREFUSED/);
  await open();
  expect(await done).toBe('done');
  expect(tries).toBe(1);
  expect(said).toMatchObject([
    { msg: 'waiting for the database', database: place, reason: 'Connection terminated unexpectedly' },
    { msg: 'waiting for the database', database: place, reason: expect.stringContaining('ECONNREFUSED') },
    { msg: 'the database answers', database: place },
  ]);
  expect(JSON.stringify(said)).not.toContain(new URL(url).password);
});

test('what somebody has to mend is waited for too', async () => {
  const url = (await testServer()).url('nowhere');
  const done = reach(url, async () => 'done');
  done.catch(() => undefined);
  await waitingFor(/database "nowhere" does not exist/);
  const wrong = new URL(url);
  wrong.password = 'a-wrong-secret';
  const other = reach(wrong.href, async () => 'done');
  other.catch(() => undefined);
  await waitingFor(/password authentication failed/);
  expect(JSON.stringify(said)).not.toContain('a-wrong-secret');
  stop.abort();
  await expect(done).rejects.toBe(stop.signal.reason);
  await expect(other).rejects.toBe(stop.signal.reason);
});

test('it stops waiting when told, also for a server that takes connections and says nothing', async () => {
  const { url, way } = await behindPassage();
  const silence = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void silence.close());
  await until('it listens', () => silence.listening);
  await way.open((silence.address() as { port: number }).port);
  const came = until(
    'it is asked',
    () => new Promise<boolean>((resolve) => silence.once('connection', () => resolve(true))),
  );
  const done = reach(url, async () => 'done');
  done.catch(() => undefined);
  await came;
  stop.abort();
  await expect(done).rejects.toBe(stop.signal.reason);
});

test('work that an outage breaks off is done again, and other failures are thrown', async () => {
  const { url, open } = await behindPassage();
  await open();
  let tries = 0;
  const lost = Object.assign(new Error('terminating connection'), { code: '57P01' });
  const done = await reach(url, async () => {
    tries += 1;
    if (tries === 1) throw lost;
    return tries;
  });
  expect(done).toBe(2);
  await expect(reach(url, () => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug');
  // PostgreSQL has a code for it that elsewhere means a database that is not as it should be.
  const missing = Object.assign(new Error('relation "x" does not exist'), { code: '42P01' });
  const failed = new MigrationError('failed', { service: 'order', migration: 'one' }, 'failed', missing);
  await expect(reach(url, () => Promise.reject(failed))).rejects.toBe(failed);
});
