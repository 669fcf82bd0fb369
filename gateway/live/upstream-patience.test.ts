import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GraphQLFormattedError } from 'graphql';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { createRights } from '../../platform/auth/rights.js';
import { silent } from '../../platform/testing/log.js';
import { openUpstream, type Upstream } from './upstream.js';

const patienceMs = 60_000;
const server = createServer();
let sockets: WebSocketServer;
let upstream: Upstream;
/** What the subgraph was sent: the types of messages with the ids of operations. */
let received: string[];
let events: number;
let ends: (readonly GraphQLFormattedError[] | undefined)[];
beforeEach(async () => {
  [received, events, ends] = [[], 0, []];
  sockets = new WebSocketServer({ server, handleProtocols: () => 'graphql-transport-ws' });
  sockets.on('connection', (socket) =>
    socket.on('message', (data) => {
      const { type, id } = JSON.parse(String(data)) as { type: string; id?: string };
      if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
      received.push(id === undefined ? type : `${type} ${id}`);
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  upstream = openUpstream({ name: 'ticks', url }, { log: silent, patienceMs, rights: createRights() });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(async () => {
  upstream.close();
  vi.useRealTimers();
  sockets.close();
  cut();
  await new Promise((resolve) => server.close(resolve));
});

const open = (): WebSocket[] => [...sockets.clients].filter(({ readyState }) => readyState === 1);
function cut(): void {
  for (const socket of sockets.clients) socket.terminate();
}

const run = () =>
  upstream.run({
    payload: () => ({ query: 'subscription { a }', variables: {}, extensions: { requestId: '1' } }),
    next: () => void events++,
    end: (errors) => ends.push(errors),
  });

/** Lets a millisecond after the other pass, with all that sockets do meanwhile. */
async function when(condition: () => boolean): Promise<void> {
  while (!condition()) {
    vi.advanceTimersByTime(1);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
const has = (message: string) => when(() => received.includes(message));
const pass = (ms: number) => vi.advanceTimersByTime(ms);

test('two short losses are none that patience counts together', async () => {
  run();
  await has('subscribe 1');
  for (const socket of open()) socket.send('{"id":"1","type":"next","payload":{"data":{"a":1}}}');
  await when(() => events > 0);
  cut();
  await has('subscribe 2');
  pass(patienceMs - 500);
  cut();
  await has('subscribe 3');
  pass(patienceMs);
  expect(ends).toEqual([]);
});

test('a loss that lasts ends with an error that says to retry', async () => {
  run();
  await has('subscribe 1');
  sockets.on('connection', (socket) => socket.terminate());
  cut();
  await when(() => ends.length > 0);
  expect(ends).toMatchObject([[{ extensions: { code: 'SERVICE_UNAVAILABLE', service: 'ticks' } }]]);
});

test('what patience ends just when it has begun anew is ended in the subgraph too', async () => {
  const running = run();
  await has('subscribe 1');
  pass(patienceMs - 900);
  running.again();
  await has('subscribe 2');
  pass(900);
  expect(ends).toHaveLength(1);
  await has('complete 2');
});

test('one that goes before the socket is ready leaves nothing that would close the socket under the next', async () => {
  run().release();
  await has('connection_init');
  // It answers once it has read that the socket is ready.
  for (const socket of open()) socket.send('{"type":"ping"}');
  await has('pong');
  run();
  await has('subscribe 1');
  pass(30_000);
  run();
  await has('subscribe 2');
  expect(received).toEqual(['connection_init', 'pong', 'subscribe 1', 'subscribe 2']);
});
