import { GraphQLError } from 'graphql';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until as waitUntil } from '../../platform/testing/until.js';
import type { Gateway } from '../index.js';
import { openSocket, type SocketClient } from '../testing/client.js';
import { startTestGateway, until } from '../testing/gateway.js';
import { type Library, librarySupergraph, startBooks, startLibrary } from '../testing/library.js';

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

/** Each asks for something else, so that nothing is shared. */
const added = (id: string) => `subscription { bookAdded(shelf: "${id}") { id } }`;
const event = (id: string) => ({ bookAdded: { id } });
const received = (id: string, book: string) => ({
  id,
  type: 'next',
  payload: { data: { bookAdded: { id: book } } },
});
async function subscribe(...ids: string[]): Promise<void> {
  const before = library.events.listeners();
  for (const id of ids) socket.subscribe(id, added(id));
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

test('all subscriptions share one socket, and a lost one is opened anew', async () => {
  await subscribe('1', '2', '3');
  expect(library.books.sockets()).toBe(1);
  library.events.push(event('7'));
  for (let n = 0; n < 3; n++) expect((await socket.next()).type).toBe('next');
  library.books.cutSockets();
  await until(() => library.books.counted.sockets === 2 && library.events.listeners() === 3);
  expect(library.books.sockets()).toBe(1);
  library.events.push(event('8'));
  const ids = [await socket.next(), await socket.next(), await socket.next()].map(({ id }) => id);
  expect(ids.sort()).toEqual(['1', '2', '3']);
});

test('a subgraph that is down is waited for', async () => {
  await library.books.stop();
  socket.subscribe('1', 'subscription { bookAdded { id } }');
  library.books = await startBooks(library, library.books.port);
  await until(() => library.events.listeners() === 1);
  library.events.push(event('7'));
  expect(await socket.next()).toEqual(received('1', '7'));
});

test('a socket that nobody needs is closed', { timeout: 20_000 }, async () => {
  await subscribe('1');
  socket.send({ id: '1', type: 'complete' });
  await waitUntil('the socket is closed', () => library.books.sockets() === 0, 15_000);
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
  socket.subscribe('1', added('1'));
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
