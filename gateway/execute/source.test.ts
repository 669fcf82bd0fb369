import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createCaller } from '../../platform/calls/caller.js';
import type { Log } from '../../platform/log.js';
import { metrics } from '../../platform/metrics.js';
import { recordingLog, silent } from '../../platform/testing/log.js';
import { contextOf } from '../context.js';
import type { Gateway, GatewayOptions } from '../index.js';
import { openSocket } from '../testing/client.js';
import { post, startTestGateway, until } from '../testing/gateway.js';
import { type Library, librarySupergraph, startLibrary } from '../testing/library.js';
import { isQuery } from './apollo/data-source.js';
import { type SubgraphSource, subgraphSource } from './source.js';

const supergraph = librarySupergraph();
const query = '{ books { title author { name } } }';
let library: Library;
const running: (() => Promise<void>)[] = [];

beforeAll(async () => {
  library = await startLibrary();
});
afterAll(() => Promise.all([library.books.stop(), library.authors.stop()]));
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

/** Serves this until the test is over, and answers its address. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  running.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
}

/** A gateway whose authors are this instead. */
async function gatewayWith(
  authors: RequestListener,
  options: Partial<GatewayOptions> = {},
): Promise<Gateway> {
  const gateway = await startTestGateway({
    supergraph,
    // The other subgraph has as long, and waits for a busy machine.
    subgraphTimeoutMs: 2_000,
    ...options,
    subgraphUrls: { ...library.urls, ...options.subgraphUrls, authors: await serve(authors) },
  });
  running.unshift(gateway.stop);
  return gateway;
}

const tooLarge = `${' '.repeat(65 * 1024 * 1024)}{"data":{"_entities":[{"name":"A"},{"name":"B"},{"name":"C"}]}}`;

const withoutAuthors = {
  errors: [
    {
      message: 'The authors service is unavailable.',
      extensions: { code: 'SERVICE_UNAVAILABLE', service: 'authors' },
    },
  ],
  data: {
    books: [
      { title: 'Kim', author: null },
      { title: 'Emma', author: null },
      { title: 'Ulysses', author: null },
    ],
  },
};

describe('a subgraph costs its own fields only', () => {
  const cases: [string, RequestListener][] = [
    ['that is slow', () => undefined],
    [
      'that starts its answer and never ends it',
      (_request, response) => response.writeHead(200).write('{"data":'),
    ],
    ['that hangs up', (request) => request.socket.destroy()],
    [
      'that answers 500',
      (_request, response) => response.writeHead(500).end('{"errors":[{"message":"pg at 10.0.0.7"}]}'),
    ],
    [
      'that answers HTML',
      (_request, response) =>
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome to nginx</html>'),
    ],
    ['that answers garbage', (_request, response) => response.end('{"data":{"_entities":')],
    ['that answers JSON which is no GraphQL', (_request, response) => response.end('{"ok":true}')],
    [
      'that answers 404 and no GraphQL',
      (_request, response) => response.writeHead(404).end('{"error":"not found"}'),
    ],
    [
      'that redirects',
      (_request, response) => response.writeHead(302, { location: 'http://10.0.0.7/' }).end(),
    ],
    [
      'that answers more than 64 MiB',
      // All of it comes, and it would be right.
      (_request, response) => response.end(tooLarge),
    ],
  ];
  test.each(cases)('%s', async (_name, authors) => {
    const gateway = await gatewayWith(authors);
    expect(await post(gateway, query)).toEqual({ status: 200, body: withoutAuthors });
  });

  test.each([['{"a":1}'], ['"no"'], ['[null]'], ['[{"message":5}]']])(
    'that has errors which are none, %s, keeps its data, and an error tells of it',
    async (errors) => {
      const entities = '[{"name":"A"},{"name":"B"},{"name":"C"}]';
      const gateway = await gatewayWith((_request, response) =>
        response.end(`{"data":{"_entities":${entities}},"errors":${errors}}`),
      );
      const books = withoutAuthors.data.books.map(({ title }, n) => ({ title, author: { name: 'ABC'[n] } }));
      expect((await post(gateway, query)).body).toEqual({ ...withoutAuthors, data: { books } });
    },
  );

  test('that is down', async () => {
    const gateway = await startTestGateway({
      supergraph,
      subgraphUrls: { books: library.urls['books'] as string },
    });
    running.push(gateway.stop);
    expect(await post(gateway, query)).toEqual({ status: 200, body: withoutAuthors });
  });

  test('and what may not be null takes no more with it than GraphQL says', async () => {
    const gateway = await gatewayWith((_request, response) => response.writeHead(503).end());
    const { body } = await post(gateway, '{ book(id: "1") { title strictAuthor { name } } books { title } }');
    expect(body).toMatchObject({
      data: { book: null, books: [{ title: 'Kim' }, {}, {}] },
      errors: withoutAuthors.errors,
    });
  });

  test('and its fetches are counted', async () => {
    const gateway = await gatewayWith((request) => request.socket.destroy());
    const failures = async () => {
      const { values } = await metrics.calls.get();
      return values.find(({ labels }) => labels.part === 'authors' && labels.outcome === 'error')?.value ?? 0;
    };
    const before = await failures();
    await post(gateway, query);
    expect(await failures()).toBe(before + 1);
  });
});

const unavailable = { extensions: { code: 'SERVICE_UNAVAILABLE', service: 'authors' } };

/** A data source of a subgraph to which there is one connection. */
function sourceOf(url: string, timeoutMs: number, log: Log = silent): SubgraphSource {
  const caller = createCaller({ part: 'authors', url, timeoutMs, log, connections: 1 });
  running.push(() => caller.close());
  return subgraphSource({ name: 'authors', url }, { caller, log });
}

const fetchFrom = (source: SubgraphSource, { deadline = Number.POSITIVE_INFINITY, isQuery = true } = {}) =>
  source.fetch(
    { body: '{"query":"{ authors { name } }"}', isQuery, entities: undefined },
    { ...contextOf(null, undefined), deadline },
  );

test('what an open circuit refuses is no warning each: there may be thousands a second', async () => {
  const { log, lines } = recordingLog();
  const source = sourceOf(await serve((request) => request.socket.destroy()), 300, log);
  const warnings = () => lines.filter(({ msg }) => msg === 'fetch failed').length;
  const opened = () => lines.filter(({ msg }) => msg === 'circuit opened').length;
  const fail = () => expect(fetchFrom(source)).rejects.toThrow('unavailable');
  await until(async () => {
    await fail();
    return opened() === 1;
  });
  const before = warnings();
  expect(before).toBeGreaterThan(0);
  for (let n = 0; n < 100; n++) await fail();
  // One of them may have been let through to test it.
  expect(warnings() - before).toBeLessThan(10);
});

describe('what a subgraph says in GraphQL is passed on', () => {
  const says =
    (status: number, errors: object[]): RequestListener =>
    (_request, response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ errors }));

  test.each([
    [400, 'BAD_USER_INPUT'],
    [401, 'UNAUTHENTICATED'],
    [200, 'FORBIDDEN'],
  ])('HTTP %s with %s', async (status, code) => {
    const gateway = await gatewayWith(
      says(status, [
        {
          message: 'No.',
          extensions: { code, field: 'input.a', stacktrace: ['at x'], exception: { stacktrace: ['at y'] } },
        },
      ]),
    );
    const { body } = await post(gateway, query);
    expect(body).toEqual({
      ...withoutAuthors,
      errors: [{ message: 'No.', extensions: { code, field: 'input.a' } }],
    });
  });

  test('with the path where it stands in the whole answer, and without a status of its own', async () => {
    const gateway = await startTestGateway({ supergraph, subgraphUrls: library.urls });
    running.push(gateway.stop);
    expect(await post(gateway, '{ f: fails(code: "NOT_FOUND") }')).toEqual({
      status: 200,
      body: {
        data: { f: null },
        errors: [{ message: 'No.', path: ['f'], extensions: { code: 'NOT_FOUND', field: 'input.title' } }],
      },
    });
  });

  test('but an error that has no code was not meant for clients', async () => {
    const gateway = await gatewayWith(says(200, [{ message: 'connect ECONNREFUSED 10.0.0.7:5432' }]));
    const { body } = await post(gateway, query);
    expect(body.errors).toEqual([
      {
        message: expect.stringMatching(/^Something went wrong here; the error id is [0-9a-f-]{36}\.$/),
        extensions: { code: 'INTERNAL_SERVER_ERROR', errorId: expect.any(String) },
      },
    ]);
  });
});

describe('a fetch has so much time', () => {
  test('as is left of the request, whose answer leaves before the silent socket is cut', async () => {
    const kim = { __typename: 'Book', id: '1', title: 'Kim', author: { __typename: 'Author', id: 'a1' } };
    const books = await serve((_request, response) => {
      setTimeout(() => response.end(JSON.stringify({ data: { books: [kim] } })), 700);
    });
    const gateway = await gatewayWith(() => undefined, {
      subgraphUrls: { books },
      subgraphTimeoutMs: 1_000,
      writeTimeoutMs: 1_500,
    });
    expect(await post(gateway, query)).toEqual({
      status: 200,
      body: { ...withoutAuthors, data: { books: [{ title: 'Kim', author: null }] } },
    });
  });

  test('as an event has, each its own', async () => {
    let fetches = 0;
    const gateway = await gatewayWith(
      (request, response) => {
        // Only the first fetch hangs.
        if (request.method === 'POST' && ++fetches === 1) return;
        response.end('{"data":{"_entities":[{"name":"Kipling"}]}}');
      },
      { subgraphTimeoutMs: 60_000, writeTimeoutMs: 500, eventPatienceMs: 0 },
    );
    const socket = await openSocket(gateway.url);
    socket.subscribe('1', 'subscription { bookAdded { title author { name } } }');
    await until(() => library.events.listeners() === 1);
    for (let n = 0; n < 2; n++)
      library.events.push({ bookAdded: { id: '1', title: 'Kim', author: { id: 'a1' } } });
    expect((await socket.next()).payload).toEqual({
      ...withoutAuthors,
      data: { bookAdded: { title: 'Kim', author: null } },
    });
    expect((await socket.next()).payload).toEqual({
      data: { bookAdded: { title: 'Kim', author: { name: 'Kipling' } } },
    });
    socket.close();
  });

  /** A data source of a subgraph whose one connection is taken by a fetch that is never answered. */
  async function taken(timeoutMs: number): Promise<SubgraphSource> {
    let fetches = 0;
    const source = sourceOf(await serve(() => fetches++), timeoutMs);
    void fetchFrom(source).catch(() => undefined);
    await until(() => fetches === 1);
    return source;
  }

  test('and none where none is left', async () => {
    await expect(fetchFrom(await taken(60_000), { deadline: performance.now() })).rejects.toMatchObject(
      unavailable,
    );
  });

  test('also while it waits for a connection', async () => {
    await expect(fetchFrom(await taken(200))).rejects.toMatchObject(unavailable);
    const source = await taken(60_000);
    await expect(fetchFrom(source, { deadline: performance.now() + 50 })).rejects.toMatchObject(unavailable);
  });

  test('and does not wait where very many wait already', async () => {
    const source = await taken(60_000);
    const refused: unknown[] = [];
    for (let n = 0; n < 2_000; n++) void fetchFrom(source).catch((error: unknown) => refused.push(error));
    await until(() => refused.length > 0);
    expect(refused.length).toBeLessThan(1_000);
    expect(refused[0]).toMatchObject(unavailable);
  });
});

describe('a subgraph that closes a kept-alive connection under a fetch', () => {
  /** Answers the first fetch of each connection, and counts all. */
  function closing(): { fetches: () => number; listener: RequestListener } {
    let fetches = 0;
    const seen = new WeakSet<object>();
    const authors = ['Kipling', 'Austen', 'Joyce'].map((name) => ({ name }));
    return {
      fetches: () => fetches,
      listener(request, response) {
        if (request.method === 'POST') fetches++;
        if (seen.has(request.socket)) return void request.socket.destroy();
        seen.add(request.socket);
        response.end(JSON.stringify({ data: { _entities: authors } }));
      },
    };
  }

  test('costs no query anything', async () => {
    const { listener, fetches } = closing();
    const gateway = await gatewayWith(listener, { subgraphTimeoutMs: 5_000 });
    for (let n = 0; n < 5; n++) expect((await post(gateway, query)).body.errors).toBeUndefined();
    expect(fetches()).toBeGreaterThan(5);
  });

  test('gets no mutation a second time', async () => {
    const { listener, fetches } = closing();
    const source = sourceOf(await serve(listener), 5_000);
    const mutate = () => fetchFrom(source, { isQuery: false });
    await mutate();
    await expect(mutate()).rejects.toMatchObject(unavailable);
    expect(fetches()).toBe(2);
  });
});

test('only what is surely a query is repeated', () => {
  const texts = [
    'query A__authors__0{a}',
    'query($a:ID){a}',
    '{a}',
    'mutation A{a}',
    'fragment A on B{a}',
    'queryX',
    '',
  ];
  expect(texts.map(isQuery)).toEqual([true, true, true, false, false, false, false]);
});

test('a subgraph that hangs is left alone until it is ready again', { timeout: 15_000 }, async () => {
  let hangs = true;
  let asked = 0;
  const gateway = await gatewayWith((request, response) => {
    if (request.method === 'POST') asked++;
    if (hangs) return;
    const authors = ['Kipling', 'Austen', 'Joyce'].map((name) => ({ name }));
    response.end(JSON.stringify({ data: { _entities: authors } }));
  });
  for (let n = 0; n < 3; n++) expect((await post(gateway, query)).body).toEqual(withoutAuthors);
  expect(asked).toBe(1);
  hangs = false;
  await until(async () => (await post(gateway, query)).body.errors === undefined);
});

test('a large answer that is nested without end is given up before it is parsed', async () => {
  const { log, lines } = recordingLog();
  const nested = `{"data":${'['.repeat(1024 * 1024)}`;
  const source = sourceOf(await serve((_request, response) => response.end(nested)), 10_000, log);
  await expect(fetchFrom(source)).rejects.toThrow('unavailable');
  expect(lines).toMatchObject([{ msg: 'fetch failed', err: { message: expect.stringContaining('nested') } }]);
});
