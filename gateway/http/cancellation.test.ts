import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Gateway } from '../index.js';
import { openSocket } from '../testing/client.js';
import { post, startTestGateway, until } from '../testing/gateway.js';
import { type HeldSubgraph, startHeld } from '../testing/held.js';
import { librarySupergraph } from '../testing/library.js';

const supergraph = librarySupergraph();
let books: HeldSubgraph;
let authors: HeldSubgraph;
let gateway: Gateway;
beforeEach(async () => {
  [books, authors] = await Promise.all([startHeld(), startHeld()]);
  gateway = await startTestGateway({
    socketLimits: { operations: 100 },
    supergraph,
    subgraphUrls: { books: books.url, authors: authors.url },
    // No fetch is to end because its time is over.
    ...{ subgraphTimeoutMs: 60_000, readTimeoutMs: 60_000, writeTimeoutMs: 60_000 },
  });
});
afterEach(async () => {
  await Promise.all([books.stop(), authors.stop()]);
  await gateway.stop();
});

/** Sends an operation, of which it then wants to know no more. */
function client(query: string, method: 'GET' | 'POST' = 'POST') {
  const leaving = new AbortController();
  const { signal } = leaving;
  const answer = (
    method === 'GET'
      ? fetch(`${gateway.url}/graphql?query=${encodeURIComponent(query)}`, { signal })
      : fetch(`${gateway.url}/graphql`, {
          method,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ query }),
          signal,
        })
  ).then(
    () => 'answered',
    () => 'gone',
  );
  return {
    async leave() {
      leaving.abort();
      expect(await answer).toBe('gone');
    },
  };
}
const sent = (subgraph: HeldSubgraph, count: number) => until(() => subgraph.fetches.length === count);
const author = { __typename: 'Author', id: 'a1' };

describe('a client that goes away', () => {
  test.each(['POST', 'GET'] as const)(
    'frees every fetch that is under way for it, sent by %s',
    async (method) => {
      const leaving = client('{ book(id: "1") { title } authors { name } }', method);
      await Promise.all([sent(books, 1), sent(authors, 1)]);
      await leaving.leave();
      await until(() => books.fetched(0).isClosed() && authors.fetched(0).isClosed());
    },
  );

  test('gets no further fetch of its plan, though somebody else waits for the same one', async () => {
    const of = (field: string) => `{ book(id: "1") { author { ${field} } } ${field}s: authors { id } }`;
    const leaving = client(of('name'));
    await Promise.all([sent(books, 1), sent(authors, 1)]);
    const staying = post(gateway, of('born'));
    await sent(authors, 2);
    await leaving.leave();
    await until(() => authors.fetched(0).isClosed());
    authors.fetched(1).answer({ data: { borns: [] } });
    books.fetched(0).answer({ data: { book: { __typename: 'Book', id: '1', author } } });
    await sent(authors, 3);
    authors.fetched(2).answer({ data: { _entities: [{ born: 1865 }] } });
    expect((await staying).body).toEqual({ data: { book: { author: { born: 1865 } }, borns: [] } });
    expect(authors.fetched(2).body).toContain('born');
    expect([books.fetches.length, authors.fetches.length]).toEqual([1, 3]);
  });

  test('frees what it waits for in a later part of the plan', async () => {
    const leaving = client('{ book(id: "1") { author { name } } }');
    await sent(books, 1);
    books.fetched(0).answer({ data: { book: { __typename: 'Book', id: '1', author } } });
    await sent(authors, 1);
    await leaving.leave();
    await until(() => authors.fetched(0).isClosed());
  });

  test('costs the others nothing', async () => {
    for (let n = 0; n < 20; n++) {
      const leaving = client(`{ book(id: "${n}") { title } }`);
      await sent(books, n + 1);
      await leaving.leave();
      await until(() => books.fetched(n).isClosed());
    }
    const stays = post(gateway, '{ book(id: "1") { title } }');
    await sent(books, 21);
    books.fetched(20).answer({ data: { book: { title: 'Kim' } } });
    expect(await stays).toEqual({ status: 200, body: { data: { book: { title: 'Kim' } } } });
  });
});

describe('over a WebSocket', () => {
  test('a client that goes away frees every fetch that is under way for it', async () => {
    const socket = await openSocket(gateway.url);
    socket.subscribe('1', '{ book(id: "1") { title } authors { name } }');
    await Promise.all([sent(books, 1), sent(authors, 1)]);
    socket.close();
    await until(() => books.fetched(0).isClosed() && authors.fetched(0).isClosed());
  });

  test('so does one that wants to know no more of an operation, and keeps the others', async () => {
    const socket = await openSocket(gateway.url);
    socket.subscribe('1', '{ book(id: "1") { title } }');
    await sent(books, 1);
    socket.subscribe('2', '{ authors { name } }');
    await sent(authors, 1);
    socket.send({ id: '1', type: 'complete' });
    await until(() => books.fetched(0).isClosed());
    expect(authors.fetched(0).isClosed()).toBe(false);
    authors.fetched(0).answer({ data: { authors: [] } });
    expect(await socket.next()).toEqual({ id: '2', type: 'next', payload: { data: { authors: [] } } });
    expect(await socket.next()).toEqual({ id: '2', type: 'complete' });
    socket.close();
  });
});

test('giving mutations up makes no room for more of them on a socket', async () => {
  const socket = await openSocket(gateway.url);
  const most = 1_000;
  let refusals = 0;
  for (let n = 0; n < most && refusals === 0; n++) {
    socket.subscribe(`m${n}`, 'mutation { rename(id: "1", title: "Dune") { title } }');
    socket.send({ id: `m${n}`, type: 'complete' });
    socket.send({ type: 'ping' });
    for (let message = await socket.next(); message.type !== 'pong'; message = await socket.next())
      if (message.type === 'error') refusals++;
  }
  expect(refusals).toBe(1);
  expect(books.fetches.length).toBeLessThan(most);
  socket.close();
});

test('a mutation is finished whoever goes away, what it reads included', async () => {
  const mutation = client('mutation { rename(id: "1", title: "Dune") { title author { name } } }');
  await sent(books, 1);
  const query = client('{ book(id: "1") { title } }');
  await sent(books, 2);
  await mutation.leave();
  await query.leave();
  await until(() => books.fetched(1).isClosed());
  expect(books.fetched(0).isClosed()).toBe(false);
  books.fetched(0).answer({ data: { rename: { __typename: 'Book', id: '1', title: 'Dune', author } } });
  await sent(authors, 1);
  expect(authors.fetched(0).body).toContain('a1');
  authors.fetched(0).answer({ data: { _entities: [{ name: 'Herbert' }] } });
});
