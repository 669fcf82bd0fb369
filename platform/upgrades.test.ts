import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { buildSchema } from 'graphql';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRights } from './auth/rights.js';
import { createHttpServer, listen } from './http.js';
import { serveSockets } from './sockets.js';
import { silent } from './testing/log.js';
import { createTokens } from './testing/tokens.js';

let app: FastifyInstance;
let sockets: ReturnType<typeof serveSockets>;
let port: number;
let client: Socket;
let received: string;

beforeEach(async () => {
  const limits = { readTimeoutMs: 15_000, writeTimeoutMs: 15_000 };
  app = createHttpServer({ service: 'test', log: silent, missing: () => [], ...limits });
  app.post('/echo', async (request) => request.body);
  port = await listen(app, { host: '127.0.0.1', port: 0 });
  sockets = serveSockets({
    rights: createRights(),
    server: app.server,
    service: 'test',
    verifier: (await createTokens()).verifier,
    log: silent,
    operations: { schema: buildSchema('type Query { me: String }') },
  });
  await open();
});
afterEach(async () => {
  client.destroy();
  await sockets.close();
  await app.close();
});

async function open(): Promise<void> {
  received = '';
  client = connect(port, '127.0.0.1').setEncoding('utf8');
  client.on('data', (text) => {
    received += text;
  });
  await once(client, 'connect');
}

const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQCAAAA'];
const websocket = [
  'Connection: Upgrade',
  'Upgrade: WebSocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: graphql-transport-ws',
];
const request = (line: string, headers: string[], body = '') =>
  `${[`${line} HTTP/1.1`, 'Host: here', ...headers].join('\r\n')}\r\n\r\n${body}`;

test('a request that offers h2c is served as HTTP/1.1, and so is the next on its connection', async () => {
  for (let n = 1; n <= 2; n++) {
    client.write(request('GET /health/live', offer));
    await expect.poll(() => received.split('{"status":"live"}').length - 1).toBe(n);
  }
  expect(received.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
});

test('so is one with a body, however it comes', async () => {
  const body = JSON.stringify({ text: 'x'.repeat(200_000) });
  const headers = [...offer, 'Content-Type: application/json', `Content-Length: ${body.length}`];
  const whole = request('POST /echo', headers, body);
  client.write(whole.slice(0, 400));
  client.write(whole.slice(400));
  await expect.poll(() => received.endsWith(`\r\n\r\n${body}`)).toBe(true);
  client.write(
    request(
      'POST /echo',
      [...offer, 'Content-Type: application/json', 'Transfer-Encoding: chunked'],
      '2\r\n',
    ),
  );
  client.write('{}\r\n0\r\n\r\n');
  await expect.poll(() => received.endsWith('\r\n\r\n{}')).toBe(true);
});

test.each(['/', '/graphqlx', '/health/live'])(
  'a WebSocket of another path is not found: %s',
  async (path) => {
    client.write(request(`GET ${path}`, websocket));
    await once(client, 'end');
    const [head, body] = received.split('\r\n\r\n') as [string, string];
    expect(head.split('\r\n')).toEqual(
      expect.arrayContaining([
        'HTTP/1.1 404 Not Found',
        'Connection: close',
        'Content-Type: application/json; charset=utf-8',
        `Content-Length: ${Buffer.byteLength(body)}`,
      ]),
    );
    expect(JSON.parse(body)).toEqual({
      errors: [{ message: expect.stringContaining('/graphql'), extensions: { code: 'NOT_FOUND' } }],
    });
  },
);

test('a WebSocket of /graphql is opened, whatever the case of its name', async () => {
  client.write(request('GET /graphql', websocket));
  await expect.poll(() => received).toMatch(/^HTTP\/1\.1 101 /);
});

test('a client that goes before it is answered does no harm', async () => {
  client.write(request('GET /nowhere', websocket));
  client.resetAndDestroy();
  await once(client, 'close');
  await open();
  client.write(request('GET /health/live', []));
  await expect.poll(() => received).toContain('{"status":"live"}');
});

test('a connection that was given back is closed with the server while it is idle, and gathers no listeners', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error) => warnings.push(warning);
  process.on('warning', warned);
  for (let n = 1; n <= 15; n++) {
    client.write(request('GET /health/live', offer));
    await expect.poll(() => received.split('{"status":"live"}').length - 1, { interval: 5 }).toBe(n);
  }
  const ended = once(client, 'end');
  await app.close();
  await ended;
  process.off('warning', warned);
  expect(warnings).toEqual([]);
});
