import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { buildSchema, type ExecutionResult } from 'graphql';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRights } from './auth/rights.js';
import { createChannel } from './live/channel.js';
import { mapEvents } from './live/map.js';
import { serveSockets } from './sockets.js';
import { type Gate, gate } from './testing/gate.js';
import { silent } from './testing/log.js';
import { openSocket, type TestSocket } from './testing/socket.js';
import { createTokens } from './testing/tokens.js';

const schema = buildSchema('type Query { slow: Int } type Subscription { count: Int }');
const limit = 4;

let server: Server;
let sockets: ReturnType<typeof serveSockets>;
let url: string;
let socket: TestSocket;
/** How many queries were begun. */
let executed: number;
/** One function a running subscription, which sends it an event. */
let running: Set<(count: number) => void>;
let answering: Gate;

beforeEach(async () => {
  server = createServer();
  running = new Set();
  executed = 0;
  answering = gate();
  sockets = serveSockets({
    rights: createRights(),
    server,
    service: 'test',
    verifier: (await createTokens()).verifier,
    log: silent,
    limits: { operations: limit },
    operations: {
      schema,
      subscribe: () => subscribeToCount(),
      execute() {
        executed += 1;
        return answering.promise.then(() => ({ data: { slow: 1 } }));
      },
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  socket = await openSocket(url);
  expect(await socket.next()).toEqual({ type: 'connection_ack' });
});
afterEach(async () => {
  answering.resolve();
  await sockets.close();
  server.close().closeAllConnections();
});

function subscribeToCount(): AsyncIterableIterator<ExecutionResult> {
  const events = createChannel<number>({ limit: 10, onClose() {}, overflow: () => new Error('too slow') });
  const push = (count: number) => events.push(count);
  running.add(push);
  return mapEvents(events, {
    map: async (count) => ({ data: { count } }),
    onEnd: () => running.delete(push),
  });
}

const subscribe = (id: string) => socket.subscribe(id, { query: 'subscription { count }' });
const complete = (id: string) => socket.send({ id, type: 'complete' });
const push = (count: number) => {
  for (const each of running) each(count);
};
/** Once it is answered, whatever was sent before it has been read. */
async function drained(): Promise<void> {
  socket.send({ type: 'ping' });
  expect(await socket.next()).toEqual({ type: 'pong' });
}
const refused = (id: string) => ({
  id,
  type: 'error',
  payload: [{ message: expect.stringContaining(`${limit}`), extensions: { code: 'RATE_LIMITED' } }],
});

test('an id that was completed is used again, and nothing of its first operation is left', async () => {
  subscribe('1');
  await expect.poll(() => running.size).toBe(1);
  for (let n = 0; n < 20; n++) {
    complete('1');
    subscribe('1');
    await drained();
  }
  await expect.poll(() => running.size).toBe(1);
  push(1);
  expect(await socket.next()).toEqual({ id: '1', type: 'next', payload: { data: { count: 1 } } });
  push(2);
  expect(await socket.next()).toEqual({ id: '1', type: 'next', payload: { data: { count: 2 } } });
  socket.close();
  await expect.poll(() => running.size).toBe(0);
});

test('an id that the server completed is free', async () => {
  for (let n = 0; n < 2; n++) {
    answering.resolve();
    socket.subscribe('1', { query: '{ slow }' });
    expect(await socket.next()).toEqual({ id: '1', type: 'next', payload: { data: { slow: 1 } } });
    expect(await socket.next()).toEqual({ id: '1', type: 'complete' });
  }
});

test('an id that was refused with an error is free', async () => {
  socket.subscribe('1', { query: '{ nope }' });
  expect(await socket.next()).toMatchObject({ id: '1', type: 'error' });
  subscribe('1');
  await expect.poll(() => running.size).toBe(1);
});

test('what an operation answers after its client completed it goes to nobody', async () => {
  socket.subscribe('1', { query: '{ slow }' });
  complete('1');
  subscribe('1');
  await expect.poll(() => running.size).toBe(1);
  answering.resolve();
  await drained();
  push(1);
  expect(await socket.next()).toEqual({ id: '1', type: 'next', payload: { data: { count: 1 } } });
});

test.each(['1', '{"id"}', '__proto__', 'ü'.repeat(100)])(
  'an id that is running is not given twice: 4409 for %s',
  async (id) => {
    subscribe(id);
    subscribe(id);
    expect((await socket.closed).code).toBe(4409);
    await expect.poll(() => running.size).toBe(0);
  },
);

test('a complete of what does not run is nothing', async () => {
  complete('7');
  await drained();
});

test('a message that is none closes the socket with 4400', async () => {
  socket.send({ type: 'subscribe', id: '', payload: { query: '{ slow }' } });
  expect((await socket.closed).code).toBe(4400);
});

test.each([
  { type: 'connection_ack' },
  { id: '1', type: 'next', payload: { data: {} } },
  { id: '1', type: 'error', payload: [{ message: 'no' }] },
])(
  'a message that only servers send closes the socket with 4400, and is no fault of ours: $type',
  async (message) => {
    socket.send(message);
    expect((await socket.closed).code).toBe(4400);
  },
);

test('nothing is run of what a client sends after its socket was closed', async () => {
  socket.send({ type: 'subscribe', id: '', payload: { query: '{ slow }' } });
  socket.subscribe('1', { query: '{ slow }' });
  subscribe('2');
  expect((await socket.closed).code).toBe(4400);
  // Whatever was read has been handled by now: the close of the client comes last.
  const other = await openSocket(url);
  expect(await other.next()).toEqual({ type: 'connection_ack' });
  expect({ executed, running: running.size }).toEqual({ executed: 0, running: 0 });
});

test('a client that goes while it is answered is no fault of ours', async () => {
  const logged = vi.spyOn(silent, 'error');
  const write = Socket.prototype.write as (...args: unknown[]) => boolean;
  vi.spyOn(Socket.prototype, 'write').mockImplementation(function (this: Socket, ...args: unknown[]) {
    const done = args.at(-1);
    if (!String(args[0]).includes('"next"')) return write.apply(this, args);
    if (typeof done === 'function') done(new Error('write EPIPE'));
    return false;
  });
  answering.resolve();
  socket.subscribe('1', { query: '{ slow }' });
  expect(await socket.next()).toEqual({ id: '1', type: 'complete' });
  await drained();
  expect(logged).not.toHaveBeenCalled();
});

test('an operation more than a socket may run is refused, and there is room when one ends', async () => {
  for (let n = 0; n < limit; n++) subscribe(`${n}`);
  subscribe('more');
  expect(await socket.next()).toEqual(refused('more'));
  complete('0');
  subscribe('more');
  await drained();
  await expect.poll(() => running.size).toBe(limit);
  push(1);
  const ids = [];
  for (let n = 0; n < limit; n++) ids.push((await socket.next()).id);
  expect(ids.sort()).toEqual(['1', '2', '3', 'more']);
});

test('giving up what cannot be stopped does not get round the bound', async () => {
  for (let n = 0; n < 2 * limit; n++) {
    socket.subscribe('1', { query: '{ slow }' });
    complete('1');
  }
  socket.subscribe('1', { query: '{ slow }' });
  expect(await socket.next()).toEqual(refused('1'));
  answering.resolve();
  await drained();
  subscribe('1');
  await expect.poll(() => running.size).toBe(1);
});
