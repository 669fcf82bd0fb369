import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gateway } from '../index.js';
import { channel } from '../testing/channel.js';
import { openSocket } from '../testing/client.js';
import { post, startTestGateway, until } from '../testing/gateway.js';
import { type HeldSubgraph, startHeld } from '../testing/held.js';
import { librarySupergraph, startBooks } from '../testing/library.js';
import type { TestSubgraph } from '../testing/subgraph.js';

const library = { events: channel<Record<string, unknown>>(), calls: [] };
let books: TestSubgraph;
let authors: HeldSubgraph;
let gateway: Gateway;
beforeAll(async () => {
  [books, authors] = await Promise.all([startBooks(library), startHeld()]);
  const subgraphUrls = { books: books.url, authors: authors.url };
  gateway = await startTestGateway({ supergraph: librarySupergraph(), subgraphUrls });
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([books.stop(), authors.stop()]);
});

const named = (name: string) => ({ data: { _entities: [{ __typename: 'Author', name }] } });

test('an event is completed by reads that began after it came', async () => {
  const socket = await openSocket(gateway.url);
  socket.subscribe('1', 'subscription { bookAdded { author { name } } }');
  await until(() => library.events.listeners() === 1);
  const asked = post(gateway, '{ book(id: 1) { author { name } } }');
  await until(() => authors.fetches.length === 1);

  // What the query reads was so before the event.
  library.events.push({ bookAdded: { id: '1', author: { id: 'a1' } } });
  await until(() => authors.fetches.length === 2);
  authors.fetched(0).answer(named('Old'));
  authors.fetched(1).answer(named('New'));
  expect((await asked).body).toEqual({ data: { book: { author: { name: 'Old' } } } });
  expect((await socket.next()).payload).toEqual({ data: { bookAdded: { author: { name: 'New' } } } });
  socket.close();
});

test('what a subgraph tells again when it is asked anew is told once, whatever others say of it by then', async () => {
  const socket = await openSocket(gateway.url);
  socket.subscribe('1', 'subscription { bookAdded { id author { name } } }');
  await until(() => library.events.listeners() === 1);
  const event = (id: string) => ({ bookAdded: { id, author: { id: 'a1' } } });
  const told = (id: string, name: string) => ({ data: { bookAdded: { id, author: { name } } } });
  const before = authors.fetches.length;
  library.events.push(event('1'));
  await until(() => authors.fetches.length === before + 1);
  authors.fetched(before).answer(named('Old'));
  expect((await socket.next()).payload).toEqual(told('1', 'Old'));

  const { sockets } = books.counted;
  books.cutSockets();
  await until(() => books.counted.sockets === sockets + 1 && library.events.listeners() === 1);
  library.events.push(event('1'));
  library.events.push(event('2'));
  await until(() => authors.fetches.length === before + 2);
  authors.fetched(before + 1).answer(named('New'));
  expect((await socket.next()).payload).toEqual(told('2', 'New'));
  socket.close();
});
