import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHttpServer, listen, serveMetrics } from './http.js';
import { gate } from './testing/gate.js';
import { silent } from './testing/log.js';
import { refuses } from './testing/ports.js';

let app: FastifyInstance;
let url: string;
let missing: string[];

beforeEach(async () => {
  missing = [];
  app = createHttpServer({
    service: 'test',
    log: silent,
    readTimeoutMs: 15_000,
    writeTimeoutMs: 15_000,
    missing: () => missing,
  });
  serveMetrics(app);
  app.post('/echo', async ({ body }) => body);
  app.get('/broken', async () => {
    throw new Error('postgres://me:secret@db');
  });
});
afterEach(() => app.close());

async function start() {
  url = `http://127.0.0.1:${await listen(app, { host: '127.0.0.1', port: 0 })}`;
}

const post = (body: string, type = 'application/json') =>
  fetch(`${url}/echo`, { method: 'POST', headers: { 'content-type': type }, body });

const codeOf = async (response: Response) => {
  const { errors } = (await response.json()) as {
    errors: { message: string; extensions: { code: string } }[];
  };
  return [response.status, errors[0]?.extensions.code, errors[0]?.message];
};

test('it is live at once, and ready when nothing is missing', async () => {
  await start();
  missing = ['order', 'payment'];
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  const waiting = await fetch(`${url}/health/ready`);
  expect([waiting.status, await waiting.json()]).toEqual([
    503,
    { status: 'waiting', missing: ['order', 'payment'] },
  ]);
  missing = [];
  const ready = await fetch(`${url}/health/ready`);
  expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
});

test('a body of 1 MiB is taken, and a larger one is refused with 413', async () => {
  await start();
  const limit = 1024 * 1024;
  expect((await post(`"${'x'.repeat(limit - 2)}"`)).status).toBe(200);
  expect((await codeOf(await post(`"${'x'.repeat(limit - 1)}"`))).slice(0, 2)).toEqual([
    413,
    'QUERY_TOO_COMPLEX',
  ]);
});

test('a body that is not JSON is refused with 400, and one of another type with 415', async () => {
  await start();
  expect((await codeOf(await post('{"a":'))).slice(0, 2)).toEqual([400, 'BAD_USER_INPUT']);
  expect((await codeOf(await post('<a/>', 'application/xml'))).slice(0, 2)).toEqual([415, 'BAD_USER_INPUT']);
});

test('what is not there is 404 with a code', async () => {
  await start();
  expect((await codeOf(await fetch(`${url}/nowhere`))).slice(0, 2)).toEqual([404, 'NOT_FOUND']);
});

test('a failure is 500 and tells nothing', async () => {
  await start();
  expect(await codeOf(await fetch(`${url}/broken`))).toEqual([
    500,
    'INTERNAL_SERVER_ERROR',
    'Something went wrong here.',
  ]);
});

test('requests are counted by route and status, and the metrics are served', async () => {
  await start();
  await fetch(`${url}/nowhere/${crypto.randomUUID()}`);
  await post('{}');
  const served = await fetch(`${url}/metrics`);
  expect(served.headers.get('content-type')).toContain('text/plain');
  const text = await served.text();
  expect(text).toContain('http_requests_total{service="test",method="POST",route="/echo",status="200"}');
  expect(text).toContain('route="unknown",status="404"');
  expect(text).not.toContain('/nowhere');
});

test('a request is a debug line that holds nothing of what the client sent', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(line) });
  const times = { readTimeoutMs: 15_000, writeTimeoutMs: 15_000 };
  const logging = createHttpServer({ service: 'test', log, ...times, missing: () => [] });
  const port = await listen(logging, { host: '127.0.0.1', port: 0 });
  await fetch(`http://127.0.0.1:${port}/secret?of=mine`, { headers: { authorization: 'Bearer secret' } });
  await logging.close();
  expect(lines.join()).not.toContain('secret');
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { service: 'test', method: 'GET', route: 'unknown', status: 404, ms: expect.any(Number), msg: 'request' },
  ]);
});

test('closing answers what is under way, and keeps no connection open for more', async () => {
  const [began, held] = [gate(), gate()];
  app.get('/slow', async () => {
    began.resolve();
    await held.promise;
    return { answered: true };
  });
  await start();
  const answer = new Promise<{ status: number | undefined; connection: string | undefined }>(
    (resolve, reject) => {
      request(`${url}/slow`, { agent: false, headers: { connection: 'keep-alive' } }, (response) => {
        response
          .resume()
          .on('end', () => resolve({ status: response.statusCode, connection: response.headers.connection }));
      })
        .on('error', reject)
        .end();
    },
  );
  await began.promise;
  const closing = app.close();
  await expect.poll(() => refuses(Number(new URL(url).port))).toBe(true);
  held.resolve();
  expect(await answer).toEqual({ status: 200, connection: 'close' });
  await closing;
});

test('closing does not wait for connections that have sent nothing', { timeout: 10_000 }, async () => {
  await start();
  const silentOne = connect(Number(new URL(url).port), '127.0.0.1');
  await once(silentOne, 'connect');
  // The server has seen it once it has answered somebody who came later.
  await fetch(`${url}/health/live`);
  const closed = once(silentOne, 'close');
  await app.close();
  await closed;
});
