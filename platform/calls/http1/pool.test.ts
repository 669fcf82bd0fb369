import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { rawServer } from '../../testing/raw-server.js';
import { until } from '../../testing/until.js';
import type { Answer } from './answer-reader.js';
import { Exchange } from './exchange.js';
import { createPool, type PoolOptions } from './pool.js';
import { httpRequest } from './request.js';

const running: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const stop of running.splice(0).reverse()) await stop();
});

const start = 'POST / HTTP/1.1\r\nhost: a\r\n';
const hello = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello';
/** How many whole requests without a body there are. */
const requestsIn = (all: string): number => all.split('\r\n\r\n').length - 1;

function poolOf(origin: string, options: Partial<PoolOptions> = {}) {
  const most = Number.POSITIVE_INFINITY;
  const limits = { answer: most, room: { taken: 0, most } };
  const pool = createPool({ origin, connections: 4, connectMs: 5_000, idleMs: 30_000, limits, ...options });
  running.push(pool.close);
  function begin(body = '', headers = {}, needsNew = false) {
    let settle: (error: Error | undefined, answer?: Answer) => void = () => {};
    const answer = new Promise<Answer>((resolve, reject) => {
      settle = (error, given) => (given ? resolve(given) : reject(error));
    });
    const exchange = new Exchange(httpRequest(start, headers, body), settle, needsNew);
    pool.send(exchange);
    return { exchange, answer };
  }
  return {
    pool,
    begin,
    ask: (body?: string, headers?: Record<string, string>) => begin(body, headers).answer,
  };
}

/** A server that does this with each request, and a pool of connections to it. */
async function serverOf(
  onRequest: (socket: Socket, count: number, all: string) => void,
  options?: Partial<PoolOptions>,
) {
  let count = 0;
  const answered = new WeakMap<Socket, number>();
  const server = await rawServer((all, socket) => {
    for (let n = answered.get(socket) ?? 0; n < requestsIn(all); n++) {
      answered.set(socket, n + 1);
      onRequest(socket, ++count, all);
    }
  });
  running.push(server.stop);
  return { ...poolOf(`http://127.0.0.1:${server.port}`, options), connections: server.connections };
}

describe('a connection', () => {
  test('is used again', async () => {
    const { ask, connections } = await serverOf((socket) => socket.write(hello));
    for (let n = 0; n < 5; n++) expect(await ask()).toEqual({ status: 200, text: 'hello' });
    expect(connections).toHaveLength(1);
  });

  test.each([
    ['says that it closes', 'connection: close\r\n'],
    ['keeps it for no longer than it takes to ask again', 'keep-alive: timeout=2\r\n'],
  ])('is not used again where its server %s', async (_name, header) => {
    const { ask, connections } = await serverOf((socket) =>
      socket.write(`HTTP/1.1 200 OK\r\n${header}content-length: 0\r\n\r\n`),
    );
    for (let n = 0; n < 3; n++) await ask();
    expect(connections).toHaveLength(3);
    // Nor by what waits for one already.
    await Promise.all(Array.from({ length: 8 }, () => ask()));
    expect(connections).toHaveLength(11);
    await until('all are closed', () => connections.every(({ destroyed }) => destroyed));
  });

  test('that nobody uses is closed before its server does', async () => {
    const { ask, connections } = await serverOf((socket) => socket.write(hello), { idleMs: 100 });
    await ask();
    await until('it is closed', () => connections[0]?.destroyed);
    await ask();
    expect(connections).toHaveLength(2);
  });

  test('over which something comes that nobody asked for is closed: it is nobody’s answer', async () => {
    const poison = 'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison';
    const { ask, connections } = await serverOf((socket) => socket.write(hello));
    await ask();
    connections[0]?.write(poison);
    await until('it is closed', () => connections[0]?.destroyed);
    for (let n = 0; n < 5; n++) expect((await ask()).text).toBe('hello');
  });

  test('is not used again where its server answers before it has all of the request', async () => {
    const server = await rawServer((_all, socket) => {
      socket.pause();
      if (socket.bytesWritten === 0) socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n');
    });
    running.push(server.stop);
    const { ask } = poolOf(`http://127.0.0.1:${server.port}`);
    expect((await ask('a'.repeat(32 * 1024 * 1024))).status).toBe(413);
    expect((await ask('a')).status).toBe(413);
    expect(server.connections).toHaveLength(2);
  });

  test('serves its next exchange also where the one before is abandoned after its answer', async () => {
    const { pool, begin, connections } = await serverOf((socket) => socket.write(hello), { connections: 1 });
    const { exchange, answer } = begin();
    await answer;
    const next = begin();
    pool.abandon(exchange);
    expect((await next.answer).text).toBe('hello');
    expect(connections).toHaveLength(1);
  });

  test('that its server ends before it reads all of a request is closed, and its place is free', async () => {
    const server = await rawServer(
      (_all, socket) => {
        socket.pause();
        socket.end();
      },
      (onConnection) => createServer({ allowHalfOpen: true }, onConnection),
    );
    running.push(server.stop);
    const { pool, ask } = poolOf(`http://127.0.0.1:${server.port}`, { connections: 1 });
    const large = 'a'.repeat(32 * 1024 * 1024);
    for (let n = 0; n < 2; n++) await expect(ask(large)).rejects.toThrow('the other side closed');
    await pool.close();
    expect(server.connections).toHaveLength(2);
  });

  test('whose answer is none is closed, and its place is free', async () => {
    const { ask, connections } = await serverOf(
      (socket, count) => socket.write(count === 1 ? 'SSH-2.0-OpenSSH_9\r\n' : hello),
      { connections: 1 },
    );
    const answers = [ask(), ask()];
    await expect(answers[0]).rejects.toThrow('does not begin as one of HTTP/1.1');
    expect((await answers[1])?.text).toBe('hello');
    expect(connections).toHaveLength(2);
    await until('it is closed', () => connections[0]?.destroyed);
  });

  test('is not used again when its time is over, whether or not it is closed by then', async () => {
    const { ask, connections } = await serverOf((socket) => socket.write(hello), { idleMs: 20 });
    await ask();
    const over = performance.now() + 20;
    await until('its time is over', () => performance.now() > over);
    await ask();
    expect(connections).toHaveLength(2);
  });

  test('is the one that was used last, so that the others become old', async () => {
    const used: Socket[] = [];
    const { ask } = await serverOf((socket) => {
      used.push(socket);
      socket.write(hello);
    });
    await Promise.all([ask(), ask(), ask()]);
    for (let n = 0; n < 5; n++) await ask();
    expect([new Set(used).size, new Set(used.slice(3)).size]).toEqual([3, 1]);
  });

  test('may be to an address of IPv6', async () => {
    const server = await rawServer((_all, socket) => socket.write(hello));
    running.push(server.stop);
    // The same as IPv4 has it, which is there everywhere.
    const { ask } = poolOf(`http://[::ffff:127.0.0.1]:${server.port}`);
    expect((await ask()).text).toBe('hello');
  });

  test('that was made in time has for its answer as long as that takes', async () => {
    const { ask } = await serverOf((socket) => setTimeout(() => socket.write(hello), 300), {
      connectMs: 200,
    });
    expect((await ask()).text).toBe('hello');
  });

  test('that cannot be made in time is given up, and nothing was sent', async () => {
    const mute = await rawServer(() => undefined);
    running.push(mute.stop);
    // A TLS handshake that nobody answers.
    const { begin } = poolOf(`https://127.0.0.1:${mute.port}`, { connectMs: 100 });
    const { exchange, answer } = begin();
    await expect(answer).rejects.toThrow('no connection was made within 100 ms');
    expect(exchange.sent).toBe(false);
  });
});

test.each([
  ['idle', 1],
  ['taken', 3],
])('what is to have a new connection takes the place of one that is %s', async (_name, before) => {
  const { begin, ask, connections } = await serverOf((socket) => socket.write(hello), { connections: 1 });
  await ask();
  const others = Array.from({ length: before - 1 }, () => ask());
  const { answer } = begin('', {}, true);
  expect((await Promise.all([...others, answer])).map(({ text }) => text)).toEqual(
    Array(before).fill('hello'),
  );
  expect(connections).toHaveLength(2);
});

describe('what is asked while all connections are taken', () => {
  test('is sent in its order as they become free', async () => {
    const { ask, connections } = await serverOf(
      (socket, count) => socket.write(`HTTP/1.1 ${200 + count} OK\r\ncontent-length: 0\r\n\r\n`),
      { connections: 1 },
    );
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask()));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, (_, n) => 201 + n));
    expect(connections).toHaveLength(1);
  });

  test('and abandoned is never sent', async () => {
    const { pool, ask, begin } = await serverOf((socket) => socket.write(hello), { connections: 1 });
    const first = ask();
    const { exchange } = begin();
    pool.abandon(exchange);
    await first;
    await ask();
    expect(exchange.sent).toBe(false);
  });

  test('gets a connection of its own where the one that it waits for is closed', async () => {
    const { pool, begin, ask, connections } = await serverOf(
      (socket, count) => count > 1 && socket.write(hello),
      { connections: 1 },
    );
    const { exchange } = begin();
    await until('it is asked', () => connections.length === 1);
    const next = ask();
    pool.abandon(exchange);
    expect((await next).text).toBe('hello');
    expect(connections).toHaveLength(2);
    await until('the first is closed', () => connections[0]?.destroyed);
  });
});

test('closing waits for what was asked before, and leaves no connection', async () => {
  const asked: Socket[] = [];
  const { pool, ask, connections } = await serverOf((socket) => asked.push(socket), { connections: 2 });
  const answers = Promise.all([ask(), ask(), ask()]);
  await until('two are asked', () => asked.length === 2);
  let isClosed = false;
  const closed = pool.close().then(() => {
    isClosed = true;
  });
  asked[0]?.write(hello);
  asked[1]?.write(hello);
  await until('the third is asked', () => asked.length === 3);
  expect(isClosed).toBe(false);
  asked[2]?.write(hello);
  await closed;
  expect((await answers).map(({ text }) => text)).toEqual(['hello', 'hello', 'hello']);
  await until('all are closed', () => connections.every(({ destroyed }) => destroyed));
});

test('what is asked while it is closed gets a connection of its own, which is closed after it', async () => {
  const { pool, ask, connections } = await serverOf((socket) => socket.write(hello));
  await ask();
  const closed = pool.close();
  expect((await ask()).text).toBe('hello');
  await closed;
  expect(connections).toHaveLength(2);
  await until('all are closed', () => connections.every(({ destroyed }) => destroyed));
});

test('whoever closes while another does is told as well', async () => {
  const asked: Socket[] = [];
  const { pool, ask } = await serverOf((socket) => asked.push(socket));
  const answer = ask();
  await until('it is asked', () => asked.length === 1);
  const closed = Promise.all([pool.close(), pool.close()]);
  asked[0]?.write(hello);
  await answer;
  await closed;
});

describe('a request', () => {
  test('is what it is, in whatever alphabet', async () => {
    let came = '';
    const server = await rawServer((all, socket) => {
      came = all;
      if (all.endsWith('end')) socket.write(hello);
    });
    running.push(server.stop);
    const { ask } = poolOf(`http://127.0.0.1:${server.port}`);
    for (const body of ['end', 'ü€😀end']) {
      came = '';
      await ask(body, { 'x-name': 'caf\u00e9' });
      const length = Buffer.byteLength(body);
      const text = Buffer.from(body).toString('latin1');
      expect(came.endsWith(`${start}content-length: ${length}\r\nx-name: caf\u00e9\r\n\r\n${text}`)).toBe(
        true,
      );
    }
  });

  test.each(['a\r\nx-admin: yes', 'a\nb', 'a\0b', 'a\u010ab'])('is refused with a header of %j', (value) => {
    expect(() => httpRequest(start, { 'x-name': value }, '')).toThrow(TypeError);
  });

  test('says how long its body is, where it is none that never has one', () => {
    expect(httpRequest(start, {}, '').head).toContain('content-length: 0');
    expect(httpRequest('GET / HTTP/1.1\r\n', {}, '').head).toBe('GET / HTTP/1.1\r\n\r\n');
  });
});

test('a server of https is one whose certificate is right', async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }]);
  const server = await rawServer(
    (_all, socket) => socket.write(hello),
    (onConnection) => createTlsServer({ key, cert }, onConnection),
  );
  running.push(server.stop);
  const { begin, ask } = poolOf(`https://localhost:${server.port}`);
  const refused = begin();
  await expect(refused.answer).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  expect(refused.exchange.sent).toBe(false);
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  for (let n = 0; n < 3; n++) expect((await ask()).text).toBe('hello');
  const used = server.connections.filter(({ bytesWritten }) => bytesWritten > 0);
  // By its name a server with several certificates chooses.
  expect(used).toMatchObject([{ servername: 'localhost' }]);
});
