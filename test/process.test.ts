import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { demoPassword } from '../events/demo.js';
import { commandLine } from '../platform/processes.js';
import { createTestDatabase } from '../platform/testing/postgres.js';
import { until } from '../platform/testing/until.js';
import { runDoorstep, temporaryFolder } from './support/process.js';

test.each([
  [{ PORT: 'http' }, 'PORT takes a whole number'],
  [{ DELIVERY_STEP: '2 seconds' }, 'DELIVERY_STEP takes a duration'],
  [{ DATABASE_URL: 'mysql://localhost' }, 'DATABASE_URL takes a postgres:// URL'],
  [{ DEMO_DATA: 'yes' }, 'DEMO_DATA takes on or off'],
  [{ DEMO_DATA: 'on', NODE_ENV: 'production' }, 'DEMO_DATA must be off'],
  [{ NODE_ENV: 'production', DEMO_DATA: 'off' }, 'JWT_PRIVATE_KEY must be set'],
  [{ JWT_PRIVATE_KEY: 'secret' }, 'JWT_PRIVATE_KEY takes an Ed25519 private key'],
  [{ SUPERGRAPH_PATH: '/nowhere/supergraph.graphql' }, 'SUPERGRAPH_PATH names a file that cannot be read'],
  [{ USER_DATABASE_URL: 'postgres://localhost/user' }, 'ORDER_DATABASE_URL, PAYMENT_DATABASE_URL'],
])('a wrong environment stops the start with one line that names it: %o', async (env, line) => {
  const { ended, output } = runDoorstep([], { DATA_DIR: await temporaryFolder(onTestFinished), ...env });
  expect(await ended).toBe(1);
  expect(output()).toContain(line);
  expect(
    output()
      .trim()
      .split('\n')
      .filter((text) => text.startsWith('doorstep: ')),
  ).toHaveLength(1);
});

test('a wrong command is answered with what there is', async () => {
  const { ended, output } = runDoorstep(['everything'], {});
  expect(await ended).toBe(1);
  expect(output()).toContain("there is no command 'everything'");
  expect(output()).toContain('migrate up|down|status');
});

test('it announces where everything is, refuses a second process on its data, and stops cleanly', async () => {
  const DATA_DIR = await temporaryFolder(onTestFinished);
  const first = runDoorstep([], { DATA_DIR });
  onTestFinished(() => void first.child.kill('SIGKILL'));
  const url = await first.ready;
  expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  expect(first.output()).toContain('customer@example.com');
  const metricsUrl = /Metrics +(\S+)/.exec(first.output())?.[1] ?? '';
  expect(await (await fetch(metricsUrl)).text()).toContain('http_requests_total');

  const second = runDoorstep([], { DATA_DIR });
  expect(await second.ended).toBe(1);
  expect(second.output()).toContain(String(first.child.pid));

  first.child.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  await expect(fetch(`${url}/health/live`)).rejects.toThrow();

  const third = runDoorstep(['migrate', 'status'], { DATA_DIR });
  expect(await third.ended).toBe(0);
  expect(third.output()).toContain('order: 20261121000100_order applied');
});

test('a port that is taken is named', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const PORT = String((server.address() as AddressInfo).port);
  const { ended, output } = runDoorstep([], { DATA_DIR: await temporaryFolder(onTestFinished), PORT });
  expect(await ended).toBe(1);
  expect(output()).toContain(`port ${PORT} of 127.0.0.1 is taken`);
});

/** PostgreSQL's own; its first line is the process's number, the fourth is the port. */
const pidFile = (dataDir: string): string => join(dataDir, 'postgres', 'postmaster.pid');

test('a PostgreSQL that is killed is started again, and what was under way reaches its end', {
  timeout: 90_000,
}, async () => {
  const DATA_DIR = await temporaryFolder(onTestFinished);
  const { child, ready, output, ended } = runDoorstep([], { DATA_DIR, DELIVERY_STEP: '300ms' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = await ready;
  const customer = await signIn(url);
  const order = await customer.order();
  const health = async () => (await fetch(`${url}/health/ready`)).status;

  // With this it cannot start: the outage lasts until it has been seen.
  const settings = join(DATA_DIR, 'postgres', 'postgresql.conf');
  const sound = await readFile(settings, 'utf8');
  await writeFile(settings, 'no_such_setting = 1\n');
  process.kill(Number.parseInt(await readFile(pidFile(DATA_DIR), 'utf8'), 10), 'SIGKILL');
  await until('it is not ready', async () => (await health()) === 503);
  expect(output()).toMatch(/error postgres: PostgreSQL is gone: it ended with SIGKILL/);
  expect(output()).toMatch(/error order: the database does not answer/);
  await until('a start has failed', () => output().includes('PostgreSQL did not start'));
  await writeFile(settings, sound);
  await until('it is ready again', async () => (await health()) === 200);
  await until('the order has reached its end', async () => (await customer.status(order)) === 'COMPLETED');

  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

test('a start that waits for another to migrate says so, and stops when told', async () => {
  const names = ['USER', 'ORDER', 'PAYMENT', 'DELIVERY', 'EVENT', 'BUS'];
  const databases = await Promise.all(names.map((name) => createTestDatabase(name.toLowerCase())));
  onTestFinished(async () => void (await Promise.all(databases.map((database) => database.drop()))));
  const other = new pg.Client({ connectionString: databases[1]?.url });
  await other.connect();
  onTestFinished(() => other.end());
  await other.query('select pg_advisory_lock(72707369)');

  const { child, output, ended } = runDoorstep([], {
    DATA_DIR: await temporaryFolder(onTestFinished),
    LOG_LEVEL: 'info',
    ...Object.fromEntries(names.map((name, index) => [`${name}_DATABASE_URL`, databases[index]?.url ?? ''])),
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await until('it tells what it waits for', () => output().includes('order: another process is migrating'));
  child.kill('SIGTERM');
  const late = delay(5_000, 'late', { ref: false });
  expect(await Promise.race([ended, late])).toBe(0);
  expect(output()).not.toContain('error');
});

test('a second signal ends it at once, and leaves no PostgreSQL behind', async () => {
  const DATA_DIR = await temporaryFolder(onTestFinished);
  const { child, ready, output, ended } = runDoorstep([], { DATA_DIR, LOG_LEVEL: 'info' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = await ready;
  const [pid = '', , , port] = (await readFile(pidFile(DATA_DIR), 'utf8')).split('\n');
  const password = await readFile(join(DATA_DIR, 'postgres-password'), 'utf8');
  // A request that is under way keeps the first signal from coming to its end.
  const other = new pg.Client(`postgres://postgres:${password.trim()}@127.0.0.1:${port}/order`);
  other.on('error', () => undefined);
  await other.connect();
  await other.query('begin; lock table products');
  const body = JSON.stringify({ query: '{ products { nodes { id } } }' });
  const headers = { 'content-type': 'application/json' };
  void fetch(`${url}/graphql`, { method: 'POST', headers, body }).catch(() => undefined);
  const waits = `select from pg_stat_activity where wait_event_type = 'Lock'`;
  await until('a request is under way', async () => (await other.query(waits)).rowCount !== 0);
  child.kill('SIGTERM');
  await until('it stops', () => output().includes('stopping'));
  // One that comes at once is taken for the first.
  await until('it ends', () => !child.kill('SIGINT') || child.exitCode !== null);
  expect(await ended).toBe(1);
  await until('PostgreSQL has ended', async () => (await commandLine(Number(pid))) === undefined);
});

async function signIn(url: string) {
  let token = '';
  async function ask<T>(query: string, input: object = {}): Promise<T> {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables: { input } }),
    });
    return ((await response.json()) as { data: T }).data;
  }
  const { login } = await ask<{ login: { accessToken: string } }>(
    'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }',
    { email: 'customer@example.com', password: demoPassword },
  );
  token = login.accessToken;
  return {
    async order(): Promise<string> {
      const { products } = await ask<{ products: { nodes: { id: string; price: { amount: string } }[] } }>(
        '{ products { nodes { id price { amount } } } }',
      );
      const items = products.nodes
        .slice(0, 1)
        .map(({ id, price }) => ({ productId: id, quantity: 1, price: price.amount }));
      const { createOrder } = await ask<{ createOrder: { id: string } }>(
        'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }',
        { items, deliveryAddress: 'Long Lane 1', idempotencyKey: 'one' },
      );
      return createOrder.id;
    },
    async status(id: string): Promise<string | undefined> {
      const { orders } = await ask<{ orders: { nodes: { id: string; status: string }[] } }>(
        '{ orders(first: 10) { nodes { id status } } }',
      );
      return orders.nodes.find((order) => order.id === id)?.status;
    },
  };
}

test("a terminal's Ctrl-C, which arrives twice at once, stops it as cleanly as one signal", async () => {
  const DATA_DIR = await temporaryFolder(onTestFinished);
  const { child, ready, ended } = runDoorstep([], { DATA_DIR });
  onTestFinished(() => void child.kill('SIGKILL'));
  await ready;
  child.kill('SIGINT');
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect((await readdir(DATA_DIR)).filter((name) => name.startsWith('lock.'))).toEqual([]);
});
