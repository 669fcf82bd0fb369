import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { createHttpServer, listen } from './http.js';
import { gate } from './testing/gate.js';
import { silent } from './testing/log.js';
import { refuses } from './testing/ports.js';

let app: FastifyInstance;
let port: number;
const clients: Socket[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await app.close();
});

async function start(lameDuckMs = 0, add: (app: FastifyInstance) => void = () => {}): Promise<void> {
  const limits = { readTimeoutMs: 15_000, writeTimeoutMs: 15_000 };
  app = createHttpServer({ service: 'test', log: silent, missing: () => [], lameDuckMs, ...limits });
  add(app);
  port = await listen(app, { host: '127.0.0.1', port: 0 });
}

/** A connection, and what has come on it so far. */
async function open() {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  clients.push(socket);
  let received = '';
  socket.on('data', (text) => {
    received += text;
  });
  await once(socket, 'connect');
  const answers = () => received.split(/(?=HTTP\/1\.1 )/);
  return { socket, answers, ended: once(socket, 'close') };
}

const head = 'GET /health/live HTTP/1.1\r\nHost: here\r\n';
const request = `${head}\r\n`;

/** A connection that has had one answer. */
async function used() {
  const client = await open();
  client.socket.write(request);
  await expect.poll(client.answers).toEqual([expect.stringContaining('keep-alive')]);
  return client;
}

const live = () => fetch(`http://127.0.0.1:${port}/health/live`);
const refused = () => refuses(port);

test('a request written on a kept-alive connection at the moment of closing is answered', async () => {
  await start();
  const { socket, answers, ended } = await used();
  const closing = app.close();
  socket.write(request);
  await ended;
  expect(answers()[1]).toMatch(/^HTTP\/1\.1 200 .*\{"status":"live"\}/s);
  await closing;
});

test('a request of which a part has come is waited for', async () => {
  await start();
  const { socket, answers, ended } = await used();
  socket.write(head);
  const closing = app.close();
  await expect.poll(refused).toBe(true);
  socket.write('\r\n');
  await ended;
  expect(answers()[1]).toMatch(/^HTTP\/1\.1 200 .*connection: close/is);
  await closing;
});

test('for a while it goes on as ever, then each answer on a connection that is left ends it', async () => {
  await start(3_000);
  const idle = await used();
  const closing = app.close();
  for (const began = Date.now(); Date.now() - began < 500; ) {
    const response = await live();
    expect([response.status, response.headers.get('connection')]).toEqual([200, null]);
  }
  await expect.poll(refused, { timeout: 10_000 }).toBe(true);
  idle.socket.write(request);
  await idle.ended;
  expect(idle.answers()[1]).toMatch(/^HTTP\/1\.1 200 .*connection: close/is);
  await closing;
});

test('when that while is over, connections on which nothing came are cut', async () => {
  await start(50);
  const idle = await used();
  const fresh = await open();
  await app.close();
  await Promise.all([idle.ended, fresh.ended]);
  expect([idle.answers().length, fresh.answers()]).toEqual([1, ['']]);
});

test('a connection that was told to stay, by an answer that takes longer, is ended after it', async () => {
  const held = gate();
  async function* halves() {
    yield 'half';
    await held.promise;
    yield 'half';
  }
  const send = (_: unknown, reply: FastifyReply) =>
    reply.header('content-length', 8).send(Readable.from(halves()));
  await start(0, (http) => void http.get('/long', send));
  const { socket, answers, ended } = await open();
  socket.write(request.replace('/health/live', '/long'));
  await expect.poll(() => answers()[0]).toContain('half');
  const closing = app.close();
  await expect.poll(refused).toBe(true);
  held.resolve();
  await ended;
  expect(answers()).toEqual([expect.stringMatching(/connection: keep-alive.*halfhalf$/is)]);
  await closing;
});

test('it waits for nobody where nobody is connected', async () => {
  await start(60_000);
  await app.close();
  expect(await refused()).toBe(true);
});

test('an upgrade that nobody takes is answered like a request, and does not hold up closing', async () => {
  await start();
  const { socket, answers } = await open();
  socket.write(`${head}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  await expect.poll(answers).toEqual([expect.stringContaining('{"status":"live"}')]);
  await app.close();
});
