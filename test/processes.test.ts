import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ServiceName, serviceNames } from '../platform/config.js';
import { pidFile } from '../platform/kafka/broker/folder.js';
import { commandLine } from '../platform/processes.js';
import { ownKafka } from '../platform/testing/kafka.js';
import { needs } from '../platform/testing/needs.js';
import { freePort, type Passage, passage } from '../platform/testing/ports.js';
import { createTestDatabase } from '../platform/testing/postgres.js';
import { newPrivateKey } from '../platform/testing/tokens.js';
import { until as untilSoon } from '../platform/testing/until.js';
import { type Doorstep, runDoorstep, temporaryFolder } from './support/process.js';

type Command = ServiceName | 'gateway';
const commands: readonly Command[] = ['gateway', 'event', 'delivery', 'payment', 'order', 'user'];

/** Six programs that start at once take their time. */
const until = (what: string, look: Parameters<typeof untilSoon>[1]) => untilSoon(what, look, 60_000);
const timeout = 180_000;

const KAFKA_BROKERS = '127.0.0.1:1';
const database = (name: string) => ({
  [`${name.toUpperCase()}_DATABASE_URL`]: 'postgres://me:secret@127.0.0.1:1/it',
});
const JWT_PRIVATE_KEY = newPrivateKey();

test.each([
  ['order', {}, 'ORDER_DATABASE_URL must be set, or DATABASE_URL'],
  ['order', database('user'), 'ORDER_DATABASE_URL must be set too, or DATABASE_URL'],
  ['delivery', database('delivery'), 'KAFKA_BROKERS must be set'],
  ['payment', { ...database('payment'), KAFKA_BROKERS }, 'JWKS_URL must be set, or SUBGRAPH_URLS'],
  ['user', { ...database('user'), KAFKA_BROKERS }, 'JWT_PRIVATE_KEY must be set'],
  [
    'delivery',
    { ...database('delivery'), KAFKA_BROKERS, JWKS_URL: 'http://127.0.0.1:1', SERVICE_SECRET: '' },
    'SERVICE_SECRET must be set',
  ],
  [
    'order',
    { ...database('order'), KAFKA_BROKERS, SUBGRAPH_URLS: '{"user":"http://127.0.0.1:1"}' },
    'SUBGRAPH_URLS must have the address of delivery',
  ],
  ['order', { ...database('order'), NODE_ENV: 'production', DEMO_DATA: 'on' }, 'DEMO_DATA must be off'],
  ['gateway', { SUBGRAPH_URLS: '{"shelf":"http://127.0.0.1:1"}' }, "the supergraph has no subgraph 'shelf'"],
  ['gateway', { NODE_ENV: 'production' }, 'TRUSTED_DOCUMENTS must be set where NODE_ENV is production'],
  [
    'gateway',
    { TRUSTED_DOCUMENTS: '/nowhere.json' },
    'TRUSTED_DOCUMENTS names /nowhere.json, but it cannot be read',
  ],
  ['all --kafka', { KAFKA_BROKERS }, 'KAFKA_BROKERS is set'],
])('%s with %o stops with one line that says what it needs', async (command, env, line) => {
  const DATA_DIR = await temporaryFolder(onTestFinished);
  const { ended, output } = runDoorstep(command.split(' '), { DATA_DIR, ...env });
  expect(await ended).toBe(1);
  expect(output()).toMatch(/^doorstep: .*\n$/);
  expect(output()).toContain(line);
});

test('an argument that a command does not take is answered with what there is', async () => {
  const { ended, output } = runDoorstep(['order', '--kafka'], {});
  expect(await ended).toBe(1);
  expect(output()).toContain("there is no '--kafka' here");
  expect(output()).toContain('user | order | payment | delivery | event');
});

/** Every command as a process of its own, on ports that are known before. */
async function processes(env: (name: Command) => Record<string, string>) {
  const ports = new Map<Command, number>();
  for (const name of commands) ports.set(name, await freePort());
  const url = (name: Command) => `http://127.0.0.1:${ports.get(name)}`;
  const SUBGRAPH_URLS = JSON.stringify(
    Object.fromEntries(serviceNames.map((name) => [name, `${url(name)}/graphql`])),
  );
  const DATA_DIR = await temporaryFolder(onTestFinished);
  const running = new Map<Command, Doorstep>();
  function start(name: Command): Doorstep {
    const started = runDoorstep([name], {
      ...{ DATA_DIR, SUBGRAPH_URLS, PORT: String(ports.get(name)), HOST: '127.0.0.1' },
      ...env(name),
    });
    running.set(name, started);
    onTestFinished(() => void started.child.kill('SIGKILL'));
    return started;
  }
  async function get(name: Command, path: string) {
    const response = await fetch(url(name) + path).catch(() => undefined);
    return response && { status: response.status, body: (await response.json()) as unknown };
  }
  return {
    start,
    running,
    get,
    url,
    health: async (name: Command) => (await get(name, '/health/ready'))?.body,
    /** What it says to be missing, in alphabetical order; undefined before it listens. */
    async missing(name: Command) {
      const { missing } = ((await get(name, '/health/ready'))?.body ?? {}) as { missing?: string[] };
      return missing?.toSorted().join();
    },
    output: (name: Command) => running.get(name)?.output() ?? '',
    async stop(name: Command) {
      running.get(name)?.child.kill('SIGTERM');
      return running.get(name)?.ended;
    },
  };
}

const waiting = (...missing: string[]) => ({ status: 'waiting', missing });

test('each starts with nothing there, says what it waits for, and stops when told', {
  timeout,
}, async () => {
  const { start, get, health, missing, output, stop } = await processes((name) => ({
    ...(name === 'user' && { JWT_PRIVATE_KEY }),
    ...(name !== 'gateway' && { ...database(name), KAFKA_BROKERS }),
  }));
  for (const name of commands) start(name);
  for (const name of serviceNames) {
    await until(`${name} waits`, () => output(name).includes(`warn  ${name}: waiting for the database`));
    expect(await health(name)).toEqual(waiting(`${name}: database`, `${name}: kafka`));
    expect(await get(name, '/health/live')).toEqual({ status: 200, body: { status: 'live' } });
    expect(output(name)).not.toContain('secret');
  }
  const all = serviceNames.flatMap((name) => [`${name}: database`, `${name}: kafka`]).sort();
  await until('the gateway has asked all', async () => (await missing('gateway')) === all.join());
  expect(await get('gateway', '/.well-known/jwks.json')).toMatchObject({ status: 503 });

  expect(await stop('order')).toBe(0);
  await until('the gateway misses it', async () =>
    ((await missing('gateway')) ?? '').split(',').includes('order'),
  );
  expect(await Promise.all(commands.map(stop))).toEqual(commands.map(() => 0));
  for (const name of commands) expect(output(name)).not.toMatch(/error|GraphQL/);
});

needs('java', 'mvn')('with Kafka', () => {
  const ends: (() => Promise<void>)[] = [];
  let broker: number;
  beforeAll(async () => {
    const { brokers } = await ownKafka((end) => void ends.push(end));
    broker = Number(brokers.split(':')[1]);
  }, 120_000);
  afterAll(async () => {
    for (const end of ends) await end();
  });

  async function behind(url: string): Promise<{ url: string; way: Passage; open: () => Promise<void> }> {
    const way = await passage();
    onTestFinished(() => way.close());
    const here = new URL(url);
    here.port = String(way.port);
    return { url: here.href, way, open: () => way.open(Number(new URL(url).port)) };
  }

  test('they start in any order, open with their databases and are ready with the brokers', {
    timeout,
  }, async () => {
    const databases = new Map<Command, Awaited<ReturnType<typeof behind>>>();
    for (const name of serviceNames) {
      const { url, drop } = await createTestDatabase(name);
      onTestFinished(drop);
      databases.set(name, await behind(url));
    }
    const kafka = await passage();
    onTestFinished(() => kafka.close());
    const { start, running, get, missing, url, output, stop } = await processes((name) => ({
      ...(name === 'user' && { JWT_PRIVATE_KEY }),
      ...(name !== 'gateway' && {
        [`${name.toUpperCase()}_DATABASE_URL`]: databases.get(name)?.url ?? '',
        KAFKA_BROKERS: `127.0.0.1:${kafka.port}`,
      }),
    }));
    for (const name of commands) start(name);
    for (const name of serviceNames)
      await until(`${name} waits`, () => output(name).includes(`${name}: waiting for the database`));

    for (const { open } of databases.values()) await open();
    const withoutKafka = serviceNames.map((name) => `${name}: kafka`).sort();
    await until('only Kafka is missing', async () => (await missing('gateway')) === withoutKafka.join());
    for (const name of serviceNames)
      await until(`${name} says so`, () => output(name).includes('waits for Kafka'));
    const ask = async (query: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${url('gateway')}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query }),
      });
      return ((await response.json()) as { data: Record<string, { accessToken: string }> }).data;
    };
    const { register } = await ask(`mutation { register(input: {
      email: "rosa@example.org", password: "correct horse", firstName: "Rosa", lastName: "Random" }) { accessToken } }`);
    const authorization = `Bearer ${register?.accessToken}`;
    expect(await ask('{ orders { nodes { id } } }', { authorization })).toEqual({ orders: { nodes: [] } });

    expect(await stop('delivery')).toBe(0);
    start('delivery');

    await kafka.open(broker);
    for (const { ready } of running.values()) await ready;
    expect(await get('gateway', '/health/ready')).toEqual({ status: 200, body: { status: 'ready' } });
    const announces = (line: string) =>
      commands.filter((name) => output(name).includes(`\n  ${line}`)).sort();
    expect(announces('GraphQL ')).toEqual([...commands].sort());
    expect(announces('Metrics ')).toEqual([...commands].sort());
    expect(announces('Keys ')).toEqual(['gateway', 'user']);
    // The event that was written while the brokers were away.
    await until('her account is open', async () => {
      const { myAccount } = await ask('{ myAccount { id } }', { authorization });
      return Boolean(myAccount);
    });

    expect(await stop('payment')).toBe(0);
    await until('it is missed', async () => (await missing('gateway')) === 'payment');
    await start('payment').ready;
    await until('it is back', async () => (await get('gateway', '/health/ready'))?.status === 200);
    expect(await Promise.all(commands.map(stop))).toEqual(commands.map(() => 0));
  });

  describe('in one process', () => {
    test('--kafka starts a broker beside it, and stops that with it', { timeout }, async () => {
      const DATA_DIR = await temporaryFolder(onTestFinished);
      const { child, ready, ended, output } = runDoorstep(['all', '--kafka'], {
        DATA_DIR,
        LOG_LEVEL: 'info',
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      await ready;
      expect(output()).toContain('starting Kafka');
      const pid = Number.parseInt(await readFile(pidFile(join(DATA_DIR, 'kafka')), 'utf8'), 10);
      expect(await commandLine(pid)).toContain(DATA_DIR);
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
      expect(await commandLine(pid)).toBeUndefined();
    });
  });
});
