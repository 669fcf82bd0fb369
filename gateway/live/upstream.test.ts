import { GraphQLError } from 'graphql';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silent } from '../../platform/testing/log.js';
import { contextOf } from '../context.js';
import { createCompiledEngine } from '../execute/compiled.js';
import type { Gateway } from '../index.js';
import { loadSupergraph } from '../supergraph.js';
import { openSocket, type SocketClient } from '../testing/client.js';
import { startTestGateway, until } from '../testing/gateway.js';
import { type Library, librarySupergraph, startBooks, startLibrary } from '../testing/library.js';
import { runSubscription } from './subscription.js';
import { openUpstream } from './upstream.js';

const supergraph = librarySupergraph();
let library: Library;
let gateway: Gateway;
let socket: SocketClient;

beforeEach(async () => {
  library = await startLibrary();
  gateway = await startTestGateway({ supergraph, subgraphUrls: library.urls });
  socket = await openSocket(gateway.url);
});
afterEach(async () => {
  await gateway.stop();
  await Promise.all([library.books.stop(), library.authors.stop()]);
});

const added = 'subscription { bookAdded { id } }';
const event = (id: string) => ({ bookAdded: { id } });
const received = (id: string, book: string) => ({
  id,
  type: 'next',
  payload: { data: { bookAdded: { id: book } } },
});
const away = [
  {
    message: 'The books service is unavailable.',
    extensions: { code: 'SERVICE_UNAVAILABLE', service: 'books' },
  },
];

async function subscribe(...ids: string[]): Promise<void> {
  const before = library.events.listeners();
  for (const id of ids) socket.subscribe(id, added);
  await until(() => library.events.listeners() === before + ids.length);
}

test('the end of the upstream is the end of the subscription', async () => {
  await subscribe('1');
  library.events.push(event('7'));
  library.events.end();
  expect([await socket.next(), await socket.next()]).toEqual([
    received('1', '7'),
    { id: '1', type: 'complete' },
  ]);
});

test('a refusal of the upstream arrives with its code, and nothing of the inside', async () => {
  socket.subscribe('1', 'subscription { refused(code: "NOT_FOUND") { id } }');
  expect(await socket.next()).toEqual({
    id: '1',
    type: 'error',
    payload: [
      expect.objectContaining({ message: 'Not you.', extensions: { code: 'NOT_FOUND', field: 'code' } }),
    ],
  });
});

test('an upstream that fails midway is an error with its code, after the events before it', async () => {
  await subscribe('1');
  library.events.push(event('7'));
  library.events.fail(new GraphQLError('No more.', { extensions: { code: 'CONFLICT' } }));
  expect([await socket.next(), await socket.next()]).toEqual([
    received('1', '7'),
    { id: '1', type: 'error', payload: [{ message: 'No more.', extensions: { code: 'CONFLICT' } }] },
  ]);
});

test('an upstream error without a code is hidden', async () => {
  await subscribe('1');
  library.events.fail(new Error('connect ECONNREFUSED 10.0.0.7:5432'));
  expect(await socket.next()).toMatchObject({
    type: 'error',
    payload: [
      {
        message: expect.stringMatching(/^Something went wrong/),
        extensions: { code: 'INTERNAL_SERVER_ERROR' },
      },
    ],
  });
});

test('all subscriptions share one socket, and a lost one is an error for each, never a completion', async () => {
  await subscribe('1', '2', '3');
  expect(library.books.sockets()).toBe(1);
  library.events.push(event('7'));
  for (let n = 0; n < 3; n++) expect((await socket.next()).type).toBe('next');
  library.books.cutSockets();
  const ends = [await socket.next(), await socket.next(), await socket.next()].sort(
    (a, b) => Number(a.id) - Number(b.id),
  );
  expect(ends).toEqual(['1', '2', '3'].map((id) => ({ id, type: 'error', payload: away })));
  await subscribe('4');
  library.events.push(event('8'));
  expect(await socket.next()).toEqual(received('4', '8'));
});

test.each([1000, 1001, 1012, 4400])(
  'a socket that the subgraph closes with %s is lost too, and nothing is retried',
  async (code) => {
    await subscribe('1');
    library.books.closeSockets(code);
    expect(await socket.next()).toEqual({ id: '1', type: 'error', payload: away });
    await until(() => library.events.listeners() === 0 && library.books.sockets() === 0);
    expect(library.calls).toHaveLength(1);
  },
);

test('a subgraph that is down refuses, and serves again once it is back', async () => {
  await library.books.stop();
  socket.subscribe('1', added);
  expect(await socket.next()).toEqual({ id: '1', type: 'error', payload: away });
  library.books = await startBooks(library, library.books.port);
  await subscribe('2');
  library.events.push(event('7'));
  expect(await socket.next()).toEqual(received('2', '7'));
});

test('completing frees the upstream at once, also before the first event', async () => {
  await subscribe('1', '2');
  socket.send({ id: '1', type: 'complete' });
  await until(() => library.events.listeners() === 1);
  library.events.push(event('7'));
  expect(await socket.next()).toEqual(received('2', '7'));
});

test('completing before the upstream is even connected leaves nothing behind', async () => {
  socket.subscribe('1', added);
  socket.send({ id: '1', type: 'complete' });
  await subscribe('2');
  await until(() => library.events.listeners() === 1);
  library.events.push(event('7'));
  expect(await socket.next()).toEqual(received('2', '7'));
});

test('a client that goes away frees the upstream', async () => {
  await subscribe('1', '2');
  socket.close();
  await until(() => library.events.listeners() === 0);
});

test('releasing ends a read that waits for an event', async () => {
  const graph = loadSupergraph(supergraph, library.urls);
  const upstream = openUpstream({ name: 'books', url: library.books.url }, silent);
  const engine = createCompiledEngine({ graph, sources: new Map(), introspection: true, log: silent });
  const operation = engine.read({ query: added });
  if (!('live' in operation) || !operation.live) throw new Error('it was not planned');
  const events = runSubscription({
    live: operation.live,
    upstream,
    variables: {},
    context: contextOf(null, undefined),
    onTooSlow: () => undefined,
    onEnd: () => undefined,
  });
  const waiting = events.next();
  await until(() => library.events.listeners() === 1);
  await events.return?.();
  expect(await waiting).toEqual({ done: true, value: undefined });
  await until(() => library.events.listeners() === 0);
  await upstream.close();
});

test('a client that does not read is closed, and others never notice', { timeout: 30_000 }, async () => {
  const lazy = await openSocket(gateway.url);
  lazy.subscribe('1', 'subscription { bookAdded { id title } }');
  await until(() => library.events.listeners() === 1);
  await subscribe('2');
  lazy.pause();
  const title = 'x'.repeat(64 * 1024);
  let sent = 0;
  // Each event is read by the other client before the next, so only the one that is paused falls behind.
  while (library.events.listeners() === 2 && sent < 3_000) {
    library.events.push({ bookAdded: { id: String(++sent), title } });
    expect(await socket.next()).toEqual(received('2', String(sent)));
  }
  expect(library.events.listeners()).toBe(1);
});
