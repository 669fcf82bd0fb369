import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type RawServer, rawServer } from '../../testing/raw-server.js';
import { until } from '../../testing/until.js';
import { Cancellation } from '../cancellation.js';
import { ask } from './ask.js';
import { createPool, type Pool } from './pool.js';
import { httpRequest } from './request.js';

const request = httpRequest('GET / HTTP/1.1\r\nhost: a\r\n', {}, '');
const hello = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello';

let server: RawServer;
let pool: Pool;
let answer: (socket: Socket) => void;
beforeEach(async () => {
  answer = (socket) => socket.write(hello);
  server = await rawServer((_all, socket) => answer(socket));
  pool = createPool({
    origin: `http://127.0.0.1:${server.port}`,
    connections: 1,
    connectMs: 5_000,
    idleMs: 30_000,
    limits: { answer: 1_000, room: { taken: 0, most: 1_000 } },
  });
});
afterEach(async () => {
  vi.useRealTimers();
  await pool.close();
  await server.stop();
});

test('an answer comes, and leaves neither a timer nor a listener', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const cancellation = new Cancellation();
  const deleted = vi.spyOn(cancellation, 'delete');
  const added = vi.spyOn(cancellation, 'add');
  expect(await ask(pool, request, { ms: 60_000, cancellation })).toEqual({ status: 200, text: 'hello' });
  expect(vi.getTimerCount()).toBe(0);
  expect(deleted.mock.calls).toEqual(added.mock.calls);
});

test('what is not answered in time is given up, and its connection closed', async () => {
  answer = () => undefined;
  await expect(ask(pool, request, { ms: 50 })).rejects.toMatchObject({ outcome: 'timeout' });
  await until('it is closed', () => server.connections.every(({ destroyed }) => destroyed));
  answer = (socket) => socket.write(hello);
  expect((await ask(pool, request, { ms: 5_000 })).text).toBe('hello');
});

test('what is cancelled is given up, also where it was before', async () => {
  answer = () => undefined;
  const cancellation = new Cancellation();
  const asked = ask(pool, request, { ms: 60_000, cancellation });
  await until('it is asked', () => (server.connections[0]?.bytesRead ?? 0) > 0);
  cancellation.cancel();
  await expect(asked).rejects.toMatchObject({ outcome: 'cancelled' });
  await until('it is closed', () => server.connections[0]?.destroyed);
  await expect(ask(pool, request, { ms: 60_000, cancellation })).rejects.toMatchObject({
    outcome: 'cancelled',
  });
});

test('a connection that fails is its own error', async () => {
  answer = (socket) => socket.resetAndDestroy();
  await expect(ask(pool, request, { ms: 5_000 })).rejects.toMatchObject({ code: 'ECONNRESET' });
});
