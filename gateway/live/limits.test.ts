import { afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { metrics } from '../../platform/metrics.js';
import type { SocketLimits } from '../../platform/sockets.js';
import type { Gateway } from '../index.js';
import { openSocket, type SocketClient } from '../testing/client.js';
import { type Issuer, startIssuer, startTestGateway, until } from '../testing/gateway.js';
import { type Library, librarySupergraph, startLibrary } from '../testing/library.js';

const supergraph = librarySupergraph();
let library: Library;
let issuer: Issuer;
let gateway: Gateway;

beforeAll(async () => {
  issuer = await startIssuer();
  return () => issuer.stop();
});
beforeEach(async () => {
  library = await startLibrary();
  metrics.socketLimits.reset();
});
afterEach(async () => {
  await gateway.stop();
  await Promise.all([library.books.stop(), library.authors.stop()]);
});

async function start(socketLimits: Partial<SocketLimits>): Promise<void> {
  const { jwksUrl } = issuer;
  gateway = await startTestGateway({ supergraph, subgraphUrls: library.urls, jwksUrl, socketLimits });
}

async function open(init: Record<string, unknown> | null = {}): Promise<SocketClient> {
  const socket = await openSocket(gateway.url, init);
  onTestFinished(() => socket.close());
  return socket;
}

const met = async (limit: keyof SocketLimits) =>
  (await metrics.socketLimits.get()).values.find(({ labels }) => labels.limit === limit)?.value ?? 0;

const added = (shelf: number) => `subscription { bookAdded(shelf: "${shelf}") { id title } }`;

test('a socket runs so many operations; one more is refused, and the others go on', async () => {
  await start({ operations: 3 });
  const socket = await open();
  for (let n = 0; n < 3; n++) socket.subscribe(`${n}`, added(n));
  socket.subscribe('more', added(3));
  expect(await socket.next()).toEqual({
    id: 'more',
    type: 'error',
    payload: [
      {
        message: 'A socket runs 3 operations at once; complete one before the next.',
        extensions: { code: 'RATE_LIMITED' },
      },
    ],
  });
  await until(() => library.events.listeners() === 3);
  library.events.push({ bookAdded: { id: '1' } });
  const ids = [await socket.next(), await socket.next(), await socket.next()].map(({ id }) => id);
  expect(ids.sort()).toEqual(['0', '1', '2']);
  expect(await met('operations')).toBe(1);
});

test('a user, or an address without a token, has so many sockets; one more is told to come back, and can once another has gone', async () => {
  await start({ socketsPerUser: 2 });
  const init = { authorization: await issuer.bearer() };
  const first = await open(init);
  await open(init);
  const more = await open(null);
  more.send({ type: 'connection_init', payload: init });
  expect(await more.closed).toEqual({
    code: 1013,
    reason: 'Try again later: a user or address has at most 2 sockets',
  });
  await open({ authorization: await issuer.bearer('0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a12') });
  const nobody = await open();
  await open();
  const another = await open(null);
  another.send({ type: 'connection_init' });
  expect(await another.closed).toMatchObject({ code: 1013 });
  nobody.close();
  first.close();
  await first.closed;
  await until(async () => {
    const again = await openSocket(gateway.url, null);
    again.send({ type: 'connection_init', payload: init });
    const acknowledged = await again.next().then(
      () => true,
      () => false,
    );
    again.close();
    return acknowledged;
  });
  expect(await met('socketsPerUser')).toBeGreaterThanOrEqual(1);
});

test('there are so many sockets in all', async () => {
  await start({ sockets: 2 });
  await open();
  await open();
  const more = await open(null);
  expect(await more.closed).toEqual({ code: 1013, reason: 'Try again later: there are too many sockets' });
  expect(await met('sockets')).toBe(1);
});

test('a client that does not begin in time is closed', async () => {
  await start({ initTimeoutMs: 100 });
  const socket = await open(null);
  expect(await socket.closed).toEqual({ code: 4408, reason: 'Connection initialisation timeout' });
  expect(await met('initTimeoutMs')).toBe(1);
});

test('a message that is too long closes its socket, and says how long one may be', async () => {
  await start({ messageBytes: 2_000 });
  const socket = await open();
  socket.subscribe('1', `{ __typename } # ${'x'.repeat(2_000)}`);
  expect(await socket.closed).toEqual({ code: 1009, reason: 'A message has at most 2000 bytes' });
  expect(await met('messageBytes')).toBe(1);
});

test('a client that does not read is closed, and others never notice', { timeout: 30_000 }, async () => {
  await start({ bufferBytes: 256 * 1024 });
  const [lazy, socket] = [await open(), await open()];
  lazy.subscribe('1', added(1));
  socket.subscribe('1', added(2));
  await until(() => library.events.listeners() === 2);
  lazy.pause();
  const title = 'x'.repeat(64 * 1024);
  let sent = 0;
  // Each event is read by the other client before the next, so only the one that is paused falls behind.
  while (library.events.listeners() === 2 && sent < 3_000) {
    library.events.push({ bookAdded: { id: String(++sent), title } });
    expect((await socket.next()).payload).toEqual({ data: { bookAdded: { id: String(sent), title } } });
  }
  expect([library.events.listeners(), await met('bufferBytes')]).toEqual([1, 1]);
  lazy.resume();
  expect(await lazy.closed).toEqual({
    code: 1013,
    reason: 'Try again later: events come faster than they are read',
  });
});
