import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { createServiceTokens } from '../auth/service-tokens.js';
import type { Bus } from '../bus/bus.js';
import { createCaches } from '../cache/caches.js';
import { loadConfig } from '../config.js';
import { openDatabase } from '../postgres/database.js';
import { gate } from '../testing/gate.js';
import { silent } from '../testing/log.js';
import { freePort, type Passage, passage, refuses } from '../testing/ports.js';
import { createTestDatabase, testServer } from '../testing/postgres.js';
import { openSocket } from '../testing/socket.js';
import { createTokens } from '../testing/tokens.js';
import { until } from '../testing/until.js';
import { defineSubgraph, type SubgraphDefinition } from './define.js';
import { type RunningSubgraph, startSubgraph } from './server.js';

let created: Awaited<ReturnType<typeof createTestDatabase>>;
let tokens: Awaited<ReturnType<typeof createTokens>>;
let service: RunningSubgraph | undefined;
let events: string[];
let stopping: AbortController;

beforeEach(async () => {
  created = await createTestDatabase('subgraph');
  tokens = await createTokens();
  service = undefined;
  events = [];
  stopping = new AbortController();
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
    rights: null,
    async close({ name }) {
      events.push(`${name} closed`);
    },
    ...changes,
  });

async function start(
  definition = tiny(),
  bus: Partial<{ -readonly [K in keyof Bus]: Bus[K] }> = {},
  place: { port?: number; database?: string; lameDuckMs?: number } = {},
): Promise<RunningSubgraph> {
  const { database = created.url, ...options } = place;
  const config = loadConfig(
    {
      ORDER_DATABASE_URL: database,
      SHUTDOWN_TIMEOUT: '5s',
      SUBGRAPH_EXECUTOR: process.env['SUBGRAPH_EXECUTOR'],
    },
    { services: ['order'], alone: true },
  );
  service = await startSubgraph(definition, {
    config,
    log: silent,
    bus: Object.assign(bus, { name: 'bus', publish: async () => {}, ready: true, ...bus }) as Bus,
    verifier: tokens.verifier,
    peers: { tokens: createServiceTokens('of no account'), origin: () => undefined },
    caches: createCaches(undefined, { isAlone: true }),
    host: '127.0.0.1',
    port: 0,
    signal: stopping.signal,
    ...options,
  });
  return service;
}

const ask = async ({ url }: Address, query: string, headers: Record<string, string> = {}) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  return { status: response.status, ...((await response.json()) as { data?: unknown; errors?: unknown }) };
};

type Address = Pick<RunningSubgraph, 'url'>;
const ready = async ({ url }: Address) => (await fetch(new URL('/health/ready', url))).status;
const health = async ({ url }: Address) => (await fetch(new URL('/health/ready', url))).json();

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
  bus.ready = false;
  expect(await health(running)).toEqual({ status: 'waiting', missing: ['order: bus'] });
  bus.ready = true;
  expect(await health(running)).toEqual({ status: 'ready' });

  const name = new URL(created.url).pathname.slice(1);
  const server = openDatabase({ url: (await testServer()).url('postgres'), service: 'test' });
  await server.query(`alter database ${name} allow_connections false`);
  await server.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  await expect.poll(() => health(running)).toEqual({ status: 'waiting', missing: ['order: database'] });
  await server.query(`alter database ${name} allow_connections true`);
  await expect.poll(() => health(running), { timeout: 10_000 }).toEqual({ status: 'ready' });
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
    (
      await database.query(
        `select from pg_stat_activity where datname = current_database() and application_name = 'order relay'`,
      )
    ).rowCount;
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
    (
      await database.query(
        `select from pg_stat_activity where datname = current_database() and application_name = 'order'`,
      )
    ).rowCount;
  await expect.poll(connections).toBe(0);
  await database.close();
});

describe('before its database can be reached', () => {
  const bus = { name: 'kafka', ready: false };
  let way: Passage;
  let place: { port: number; database: string };
  let there: Address;

  beforeEach(async () => {
    way = await passage();
    onTestFinished(() => way.close());
    const database = new URL(created.url);
    database.port = String(way.port);
    place = { port: await freePort(), database: database.href };
    there = { url: `http://127.0.0.1:${place.port}/graphql` };
  });
  const listens = () => until('it listens', () => health(there).then(Boolean, () => false));
  const get = (path: string) => fetch(new URL(path, there.url));

  test('it lives, names what is missing and refuses all else; then it opens, and is ready with the bus', async () => {
    bus.ready = false;
    const routes: SubgraphDefinition<App, never>['routes'] = (app, http) =>
      void http.get('/name', async () => app().name);
    const starting = start(tiny({ routes }), bus, place);
    await listens();
    expect((await get('/health/live')).status).toBe(200);
    expect(await health(there)).toEqual({
      status: 'waiting',
      missing: ['order: database', 'order: kafka'],
    });
    const errors = [{ extensions: { code: 'SERVICE_UNAVAILABLE', service: 'order' } }];
    expect(await ask(there, '{ product(id: "7") { id } }')).toMatchObject({ status: 503, errors });
    const name = await get('/name');
    expect([name.status, await name.json()]).toEqual([503, { errors: [expect.objectContaining(errors[0])] }]);
    const [refusal] = await once(
      new WebSocket(there.url.replace('http', 'ws'), 'graphql-transport-ws'),
      'error',
    );
    expect(String(refusal)).toContain('503');

    await way.open(Number(new URL(created.url).port));
    const running = await starting;
    expect(running.url).toBe(there.url);
    expect(await ask(there, '{ product(id: "7") { id } }')).toMatchObject({ data: { product: { id: '7' } } });
    expect(await (await get('/name')).text()).toBe('tiny');
    const socket = await openSocket(there.url);
    expect(await socket.next()).toEqual({ type: 'connection_ack' });
    expect(await health(there)).toEqual({ status: 'waiting', missing: ['order: kafka'] });
    bus.ready = true;
    const workers = await running.run();
    expect(await health(there)).toEqual({ status: 'ready' });
    await workers.stop();
  });

  test('it stops when told, without waiting any longer', async () => {
    const starting = start(tiny(), bus, place);
    starting.catch(() => undefined);
    await listens();
    stopping.abort();
    await expect(starting).rejects.toBe(stopping.signal.reason);
    await expect(get('/health/live')).rejects.toThrow();
  });
});

describe('when it leaves', () => {
  test('it is not ready, answers all the same, then closes its sockets with 1012 and its port', async () => {
    const running = await start(tiny(), {}, { lameDuckMs: 1_000 });
    const workers = await running.run();
    const socket = await openSocket(running.url);
    const leaving = running.leave();
    expect(await health(running)).toEqual({ status: 'waiting', missing: ['order: it is stopping'] });
    for (const began = Date.now(); Date.now() - began < 500; )
      expect(await ask(running, '{ product(id: "7") { id } }')).toMatchObject({ status: 200 });
    expect(await socket.closed).toEqual({ code: 1012, reason: 'Service restart' });
    await leaving;
    await expect(ready(running)).rejects.toThrow();
    await workers.stop();
    expect(events).toEqual([]);
  });

  test('what it stands on is there until the last request is answered', async () => {
    const [began, held] = [gate(), gate()];
    const running = await start(
      tiny({
        resolvers: {
          Query: {
            async product(_source: unknown, { id }: { id: string }) {
              began.resolve();
              await held.promise;
              events.push('answered');
              return { id };
            },
          },
        },
      }),
    );
    const answer = ask(running, '{ product(id: "7") { id } }');
    await began.promise;
    const stopped = running.stop();
    await expect.poll(() => refuses(Number(new URL(running.url).port))).toBe(true);
    held.resolve();
    expect(await answer).toEqual({ status: 200, data: { product: { id: '7' } } });
    await stopped;
    expect(events).toEqual(['answered', 'tiny closed']);
  });

  test('it is not ready from the moment that its process is told to stop', async () => {
    const running = await start();
    const workers = await running.run();
    expect(await ready(running)).toBe(200);
    stopping.abort();
    expect(await health(running)).toEqual({ status: 'waiting', missing: ['order: it is stopping'] });
    await workers.stop();
  });
});

test('its workers wait for a database that goes away while they start', async () => {
  let tries = 0;
  const running = await start(
    tiny({
      run() {
        tries += 1;
        if (tries === 1) throw Object.assign(new Error('terminating connection'), { code: '57P01' });
        return [];
      },
    }),
  );
  const workers = await running.run();
  expect([tries, await ready(running)]).toEqual([2, 200]);
  await workers.stop();
});
