import { afterAll, beforeAll, expect, test } from 'vitest';
import { metrics } from '../../platform/metrics.js';
import type { Gateway } from '../index.js';
import { openSocket } from '../testing/client.js';
import { startTestGateway, until } from '../testing/gateway.js';
import { type Library, librarySupergraph, startLibrary } from '../testing/library.js';

let library: Library;
let gateway: Gateway;

beforeAll(async () => {
  library = await startLibrary();
  gateway = await startTestGateway({ supergraph: librarySupergraph(), subgraphUrls: library.urls });
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([library.books.stop(), library.authors.stop()]);
});

const query = 'subscription { bookAdded { id } }';
const running = async () =>
  (await metrics.subscriptions.get()).values.find(({ labels }) => labels.service === 'gateway')?.value ?? 0;

test('an id that is completed and used again at once loses no event, and leaves nothing behind', async () => {
  const socket = await openSocket(gateway.url);
  socket.subscribe('1', query);
  for (let n = 0; n < 20; n++) {
    socket.send({ id: '1', type: 'complete' });
    socket.subscribe('1', query);
  }
  await until(async () => (await running()) === 1 && library.events.listeners() === 1);
  for (const id of ['1', '2']) library.events.push({ bookAdded: { id } });
  for (const id of ['1', '2'])
    expect(await socket.next()).toEqual({ id: '1', type: 'next', payload: { data: { bookAdded: { id } } } });
  socket.close();
  await until(async () => (await running()) === 0 && library.events.listeners() === 0);
});
