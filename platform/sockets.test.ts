import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema } from 'graphql';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createRights } from './auth/rights.js';
import type { TokenVerifier } from './auth/tokens.js';
import { problem } from './errors.js';
import { metrics } from './metrics.js';
import { serveSockets } from './sockets.js';
import { gate } from './testing/gate.js';
import { silent } from './testing/log.js';
import { openSocket, type TestSocket } from './testing/socket.js';
import { createTokens } from './testing/tokens.js';

let server: Server;
let url: string;
let close: () => Promise<void>;
let opened: TestSocket[];
let tokens: Awaited<ReturnType<typeof createTokens>>;

const schema = buildSchema('type Query { me: String }');

beforeEach(async () => {
  server = createServer((_request, response) => void response.writeHead(404).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  opened = [];
  tokens = await createTokens();
  serve(tokens.verifier);
});
afterEach(async () => {
  for (const socket of opened) socket.close();
  await close();
  server.close().closeAllConnections();
});

function serve(verifier: TokenVerifier, service = 'test'): void {
  const sockets = serveSockets({
    rights: createRights(),
    server,
    service,
    verifier,
    log: silent,
    operations: {
      schema,
      context: ({ extra }) => ({ me: extra.principal?.userId ?? 'nobody' }),
      execute: (args) => ({ data: args.contextValue as Record<string, unknown> }),
    },
  });
  close = () => sockets.close();
}

async function open(init: Record<string, unknown> | null = {}): Promise<TestSocket> {
  const socket = await openSocket(url, init);
  opened.push(socket);
  return socket;
}

const bearer = async (signer = tokens.signer, id: string = randomUUID()) => ({
  authorization: `Bearer ${(await signer.sign({ id, role: 'CUSTOMER' })).accessToken}`,
});

async function whoAmI(socket: TestSocket): Promise<unknown> {
  expect(await socket.next()).toEqual({ type: 'connection_ack' });
  socket.subscribe('1', { query: '{ me }' });
  return ((await socket.next()).payload as { data: { me: string } }).data.me;
}

test('without a token a socket is nobody, and is served', async () => {
  expect(await whoAmI(await open())).toBe('nobody');
});

test('with a token it is whom the token names', async () => {
  const id = randomUUID();
  expect(await whoAmI(await open(await bearer(tokens.signer, id)))).toBe(id);
});

test.each(['Bearer x.y.z', 'nonsense'])(
  'a wrong token closes it with 4403 and says why: %s',
  async (authorization) => {
    const socket = await open({ authorization });
    expect(await socket.closed).toEqual({
      code: 4403,
      reason: expect.stringMatching(/^Forbidden: The access token is wrong/),
    });
  },
);

test('while tokens cannot be checked it is told to try again later', async () => {
  await close();
  serve({ verify: () => Promise.reject(problem('SERVICE_UNAVAILABLE', 'Tokens cannot be checked now.')) });
  const socket = await open(await bearer());
  expect(await socket.closed).toEqual({ code: 1013, reason: 'Try again later' });
});

test('a failure of ours says nothing of itself', async () => {
  await close();
  serve({ verify: () => Promise.reject(new Error('redis://secret@10.0.0.7 is away')) });
  const socket = await open(await bearer());
  expect(await socket.closed).toEqual({ code: 1013, reason: 'Try again later' });
});

test('a socket whose token expires is closed with 4403 and says so', async () => {
  const short = await createTokens({ ttlMs: 1_500 });
  await close();
  serve(short.verifier);
  const { accessToken, expiresAt } = await short.signer.sign({ id: randomUUID(), role: 'CUSTOMER' });
  const socket = await open({ authorization: `Bearer ${accessToken}` });
  expect(await socket.next()).toEqual({ type: 'connection_ack' });
  expect(await socket.closed).toEqual({ code: 4403, reason: 'Forbidden: the access token has expired' });
  expect(Date.now()).toBeGreaterThanOrEqual(expiresAt.getTime());
});

test('a token that lives longer than any timer does not close the socket', async () => {
  const long = await createTokens({ ttlMs: 40 * 24 * 60 * 60 * 1000 });
  await close();
  serve(long.verifier);
  const socket = await open(await bearer(long.signer));
  expect(await socket.next()).toEqual({ type: 'connection_ack' });
  socket.send({ type: 'ping' });
  expect(await socket.next()).toEqual({ type: 'pong' });
});

test('a socket that goes while its token is checked leaves no timer behind', async () => {
  await close();
  const [asked, held] = [gate(), gate()];
  const [answered, service] = [gate(), randomUUID()];
  serve(
    {
      async verify() {
        asked.resolve();
        await held.promise;
        setImmediate(() => setImmediate(answered.resolve));
        return { userId: 'me', role: 'CUSTOMER', expiresAt: Date.now() + 3_600_000 };
      },
    },
    service,
  );
  const socket = await open({ authorization: 'Bearer a.b.c' });
  await asked.promise;
  socket.close();
  await socket.closed;
  const sockets = async () =>
    (await metrics.sockets.get()).values.find(({ labels }) => labels.service === service)?.value;
  await expect.poll(sockets).toBe(0);
  const timers = vi.spyOn(globalThis, 'setTimeout');
  held.resolve();
  await answered.promise;
  const delays = timers.mock.calls.map(([, ms]) => ms ?? 0);
  timers.mockRestore();
  expect(Math.max(0, ...delays)).toBeLessThan(3_000_000);
});

test('closing tells every socket to come back', async () => {
  const sockets = [await open(), await open(await bearer())];
  await Promise.all(sockets.map((socket) => socket.next()));
  await close();
  for (const socket of sockets)
    expect(await socket.closed).toEqual({ code: 1012, reason: 'Service restart' });
});

test('open sockets are counted', async () => {
  await close();
  const service = randomUUID();
  serve(tokens.verifier, service);
  const count = async () =>
    (await metrics.sockets.get()).values.find(({ labels }) => labels.service === service)?.value;
  const sockets = [await open(), await open()];
  expect(await count()).toBe(2);
  sockets[0]?.close();
  await expect.poll(count).toBe(1);
});

test.each(['/', '/graphql/', '/graphqlx', '/health'])(
  'an upgrade of any other path is refused: %s',
  async (path) => {
    const socket = new WebSocket(
      `${url.replace(/^http/, 'ws').replace('/graphql', path)}`,
      'graphql-transport-ws',
    );
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toBe('Unexpected server response: 404');
    expect(await whoAmI(await open())).toBe('nobody');
  },
);

test('a query string does no harm, and a message that is too large closes the socket', async () => {
  url = `${url}?a=b`;
  const socket = await open();
  expect(await socket.next()).toEqual({ type: 'connection_ack' });
  socket.subscribe('1', { query: `{ me } #${'x'.repeat(1024 * 1024)}` });
  expect((await socket.closed).code).toBe(1009);
});

test.each([
  ['an operation', '{"id":"1","type":"subscribe","payload":{"query":"{ me }","variables":{"a":DEEP}}}'],
  ['a ping', '{"type":"ping","payload":{"a":DEEP}}'],
])('%s that is nested without end is no message, and no fault of ours', async (_what, text) => {
  const error = vi.spyOn(silent, 'error');
  const socket = new WebSocket(url, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await once(socket, 'message');
  socket.send(text.replace('DEEP', '['.repeat(20_000) + ']'.repeat(20_000)));
  const [code] = await once(socket, 'close');
  expect([code, error.mock.calls]).toEqual([4400, []]);
});
