import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Bus } from '../bus/bus.js';
import { loadConfig } from '../config.js';
import { openDatabase } from '../postgres/database.js';
import { silent } from '../testing/log.js';
import { createTestDatabase, testServer } from '../testing/postgres.js';
import { createTokens } from '../testing/tokens.js';
import { defineSubgraph, type SubgraphDefinition } from './define.js';
import { type RunningSubgraph, startSubgraph } from './server.js';

let created: Awaited<ReturnType<typeof createTestDatabase>>;
let tokens: Awaited<ReturnType<typeof createTokens>>;
let service: RunningSubgraph | undefined;
let events: string[];

beforeEach(async () => {
  created = await createTestDatabase('subgraph');
  tokens = await createTokens();
  service = undefined;
  events = [];
});
afterEach(async () => {
  await service?.stop();
  await created.drop();
});

interface App {
  name: string;
}
type Context = { principal: { userId: string } | null };

/** A subgraph that is called order, for its schema and its migrations; what it answers is this test's. */
const tiny = (changes: Partial<SubgraphDefinition<App, never>> = {}) =>
  defineSubgraph<App, never>({
    name: 'order',
    resolvers: {
      Query: {
        product: (_source: unknown, { id }: { id: string }, { principal }: Context) => {
          if (id === 'boom') throw new Error('a secret of the database');
          return { id, name: principal?.userId ?? 'nobody', available: true };
        },
      },
    },
    open: () => ({ name: 'tiny' }),
    context: (_app, principal) => ({ principal }) as never,
    consumers: () => [],
    async close({ name }) {
      events.push(`${name} closed`);
    },
    ...changes,
  });

async function start(
  definition = tiny(),
  bus: Partial<{ -readonly [K in keyof Bus]: Bus[K] }> = {},
): Promise<RunningSubgraph> {
  const config = loadConfig({
    ORDER_DATABASE_URL: created.url,
    DATABASE_URL: created.url,
    SHUTDOWN_TIMEOUT: '5s',
  });
  service = await startSubgraph(definition, {
    config,
    log: silent,
    bus: Object.assign(bus, { publish: async () => {}, ready: true, ...bus }) as Bus,
    verifier: tokens.verifier,
    host: '127.0.0.1',
    port: 0,
  });
  return service;
}

const ask = async ({ url }: RunningSubgraph, query: string, headers: Record<string, string> = {}) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  return { status: response.status, ...((await response.json()) as { data?: unknown; errors?: unknown }) };
};

const ready = async ({ url }: RunningSubgraph) => (await fetch(new URL('/health/ready', url))).status;

test('it answers over HTTP for whom the token names', async () => {
  const id = randomUUID();
  const running = await start();
  expect(await ask(running, '{ product(id: "7") { id name } }')).toEqual({
    status: 200,
    data: { product: { id: '7', name: 'nobody' } },
  });
  const { accessToken } = await tokens.signer.sign({ id, role: 'CUSTOMER' });
  expect(
    await ask(running, '{ product(id: "7") { name } }', { authorization: `Bearer ${accessToken}` }),
  ).toMatchObject({
    data: { product: { name: id } },
  });
  expect(
    await ask(running, '{ product(id: "7") { name } }', { authorization: 'Bearer a.b.c' }),
  ).toMatchObject({
    status: 401,
    errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
  });
});

test('an error that nobody meant for a client shows an id and no detail', async () => {
  const { errors } = await ask(await start(), '{ product(id: "boom") { id } }');
  expect(errors).toMatchObject([
    { path: ['product'], extensions: { code: 'INTERNAL_SERVER_ERROR', errorId: expect.any(String) } },
  ]);
  expect(JSON.stringify(errors)).not.toContain('secret');
});

test('it is ready once it runs, and no more once that is stopped', async () => {
  const running = await start(
    tiny({
      run: () => [
        {
          stop: async () => {
            events.push('worker stopped');
          },
        },
      ],
    }),
  );
  expect(await ready(running)).toBe(503);
  const workers = await running.run();
  expect(await ready(running)).toBe(200);
  await workers.stop();
  expect(await ready(running)).toBe(503);
  await running.stop();
  service = undefined;
  expect(events).toEqual(['worker stopped', 'tiny closed']);
  await expect(ready(running)).rejects.toThrow();
});

test('it is ready only while its database answers and the bus delivers', async () => {
  const bus = { ready: true };
  const running = await start(tiny(), bus);
  const workers = await running.run();
  const health = async () => (await fetch(new URL('/health/ready', running.url))).json();
  bus.ready = false;
  expect(await health()).toEqual({ status: 'waiting', missing: ['order: bus'] });
  bus.ready = true;
  expect(await health()).toEqual({ status: 'ready' });

  const name = new URL(created.url).pathname.slice(1);
  const server = openDatabase({ url: (await testServer()).url('postgres'), service: 'test' });
  await server.query(`alter database ${name} allow_connections false`);
  await server.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  await expect.poll(health).toEqual({ status: 'waiting', missing: ['order: database'] });
  await server.query(`alter database ${name} allow_connections true`);
  await expect.poll(health, { timeout: 10_000 }).toEqual({ status: 'ready' });
  await workers.stop();
  await server.close();
});

test('a statement of a request ends before the gateway gives the answer up, and no transaction hangs', async () => {
  const settings: unknown[] = [];
  await start(
    tiny({
      async open({ database }) {
        for (const name of ['statement_timeout', 'idle_in_transaction_session_timeout'])
          settings.push((await database.query(`show ${name}`)).rows[0]);
        return { name: 'tiny' };
      },
    }),
  );
  expect(settings).toEqual([{ statement_timeout: '9500ms' }, { idle_in_transaction_session_timeout: '30s' }]);
});

test('what stands in its outbox is published while it runs', async () => {
  const topics: string[] = [];
  const running = await start(tiny(), {
    publish: async (messages) => void topics.push(...messages.map(({ topic }) => topic)),
  });
  const workers = await running.run();
  const database = openDatabase({ url: created.url, service: 'test' });
  await database.query(
    `insert into outbox (event_id, topic, key, value, headers) values (gen_random_uuid(), 'a.topic', '', '', '{}')`,
  );
  await expect.poll(() => topics).toEqual(['a.topic']);
  await workers.stop();
  await database.close();
});

test('when its workers fail to start, the relay is stopped again', async () => {
  const running = await start(tiny({ run: () => Promise.reject(new Error('no demo data')) }));
  await expect(running.run()).rejects.toThrow('no demo data');
  const database = openDatabase({ url: created.url, service: 'test' });
  const relays = async () =>
    (await database.query(`select from pg_stat_activity where application_name = 'order relay'`)).rowCount;
  await expect.poll(relays).toBe(0);
  expect(await ready(running)).toBe(503);
  await database.close();
});

test('when it fails to start, what it had opened is closed again', async () => {
  const failing = tiny({
    consumers: () => {
      throw new Error('no consumers');
    },
  });
  await expect(start(failing)).rejects.toThrow('no consumers');
  expect(events).toEqual(['tiny closed']);
  const database = openDatabase({ url: created.url, service: 'test' });
  const connections = async () =>
    (await database.query(`select from pg_stat_activity where application_name = 'order'`)).rowCount;
  await expect.poll(connections).toBe(0);
  await database.close();
});
