import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { callerOf, listen, mutation, partOf, query, stopParts } from '../testing/caller.js';
import { gate } from '../testing/gate.js';
import { silent } from '../testing/log.js';
import { until } from '../testing/until.js';
import { type CallerOptions, createCaller } from './caller.js';
import { Cancellation } from './cancellation.js';

afterEach(stopParts);

/** Answers each connection's first request; every later one ends the connection instead, after it was read. */
function closing(end: (socket: Socket) => void): RequestListener {
  const seen = new WeakSet<Socket>();
  return (request, response) => {
    if (seen.has(request.socket)) end(request.socket);
    else response.end('hello');
    seen.add(request.socket);
  };
}

/** Answers with the statuses in turn, then 200. */
const answering =
  (...statuses: number[]): RequestListener =>
  (_request, response) => {
    response.writeHead(statuses.shift() ?? 200).end('hello');
  };

test('an answer is its status and its text, whatever it is below 500', async () => {
  const { call } = await partOf((request, response) => {
    response.writeHead(404).write('ü'.repeat(100_000));
    response.end(`${request.method} ${request.url} ${request.headers['x-request-id']}`);
  });
  expect(await call({ ...query, headers: { 'x-request-id': 'a' } })).toEqual({
    status: 404,
    text: `${'ü'.repeat(100_000)}POST /graphql?a=b a`,
  });
});

test('a header that cannot be one is a rejection, as all else that is wrong', async () => {
  const { call, underWay } = await partOf((_request, response) => response.end());
  await expect(call({ ...query, headers: { 'x-name': 'a\nb' } })).rejects.toThrow(TypeError);
  expect(await underWay()).toBe(0);
});

test('what was asked just before it is closed is still answered', async () => {
  const port = await listen(createServer((_request, response) => response.end('hello')));
  const url = `http://127.0.0.1:${port}`;
  const caller = createCaller({ part: 'closing', url, timeoutMs: 10_000, log: silent });
  const [answer] = await Promise.all([caller.call(query), caller.close()]);
  expect(answer.text).toBe('hello');
});

describe('what is safe is sent again', () => {
  test.each([
    ['ends', (socket: Socket) => socket.end()],
    ['breaks', (socket: Socket) => socket.destroy()],
    ['is reset', (socket: Socket) => socket.resetAndDestroy()],
  ])('when its kept-alive connection %s', async (_name, end) => {
    const { call, requests, retries } = await partOf(closing(end), { connections: 1 });
    for (let n = 0; n < 2; n++) expect((await call()).text).toBe('hello');
    expect([requests(), await retries()]).toEqual([3, 1]);
  });

  test.each([
    ['each alone', 1],
    ['more at once than there are connections', 16],
  ])('however often a part closes connections that it said it keeps, %s', async (_name, users) => {
    const { call, retries, exhausted } = await partOf(
      closing((socket) => socket.destroy()),
      { connections: 4 },
    );
    const queries = async () => {
      for (let n = 0; n < 100; n++) expect((await call()).text).toBe('hello');
    };
    await Promise.all(Array.from({ length: users }, queries));
    expect([(await retries()) > 20 * users, await exhausted()]).toEqual([true, 0]);
  });

  test('when every connection is closed under its call at once', async () => {
    const held: ServerResponse[] = [];
    let round = 1;
    const { call, requests, retries } = await partOf((_request, response) => {
      if (round === 3) response.end('hello');
      else if (held.push(response) === 64) {
        for (const one of held.splice(0)) round === 1 ? one.end('hello') : one.socket?.destroy();
        round++;
      }
    });
    await Promise.all(Array.from({ length: 64 }, () => call()));
    await Promise.all(Array.from({ length: 64 }, () => call()));
    expect([requests(), await retries()]).toEqual([3 * 64, 64]);
  });

  test('so that a part that restarts costs no query an error', async () => {
    const listener: RequestListener = (_request, response) => response.end('hello');
    const first = createServer(listener);
    const port = await listen(first);
    const { call, outcomes } = callerOf(port);
    let restarted = false;
    const queries = async () => {
      while (!restarted) await call();
    };
    const users = Array.from({ length: 8 }, queries);
    await until('queries run', async () => (await outcomes('ok')) > 100);
    first.close();
    await listen(createServer(listener), port);
    const before = await outcomes('ok');
    await until('queries go on', async () => (await outcomes('ok')) > before + 100);
    restarted = true;
    await Promise.all(users);
  });

  test.each([502, 503, 504])('after HTTP %s', async (status) => {
    const { call, requests } = await partOf(answering(status, status));
    expect((await call()).status).toBe(200);
    expect(requests()).toBe(3);
  });

  test('three times at most', async () => {
    const { call, requests } = await partOf(answering(503, 503, 503));
    await expect(call()).rejects.toThrow('it answered HTTP 503');
    expect(requests()).toBe(3);
  });

  test('but not after HTTP 500, nor after an answer that is too large', async () => {
    const failing = await partOf(answering(500));
    await expect(failing.call()).rejects.toThrow('it answered HTTP 500');
    const large = await partOf((_request, response) => response.end('a'.repeat(2_000)), {
      answerLimit: 1_000,
    });
    for (let n = 0; n < 10; n++) await expect(large.call()).rejects.toThrow('more than 1000 bytes');
    expect([failing.requests(), large.requests(), await large.circuit()]).toEqual([1, 10, 0]);
  });

  test('but not where it would be later than its time', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    const { call, requests } = await partOf(answering(503, 503), { timeoutMs: 49 });
    await expect(call()).rejects.toThrow('it answered HTTP 503');
    expect(requests()).toBe(1);
  });
});

describe('what is not safe', () => {
  test.each([
    ['its connection breaks', closing((socket) => socket.destroy()), 'other side closed'],
    ['the answer is 503', answering(200, 503), 'it answered HTTP 503'],
  ])('is sent once when %s', async (_name, listener, message) => {
    const { call, requests, retries } = await partOf(listener, { connections: 1 });
    await call(mutation);
    await expect(call(mutation)).rejects.toThrow(message);
    expect([requests(), await retries()]).toEqual([2, 0]);
  });

  test('is sent again when no connection could be made, since it never left', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    let requests = 0;
    const server = createServer((_request, response) => response.end(`${++requests}`));
    const port = await listen(createServer());
    await stopParts();
    const { call, retries } = callerOf(port);
    const answer = call(mutation);
    await until('it was refused', async () => (await retries()) > 0);
    await listen(server, port);
    expect((await answer).text).toBe('1');
  });
});

test('a call that is over in the pause before a retry gives its place back', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(20);
  const { call, requests, retries, underWay, outcomes } = await partOf(answering(503));
  const cancellation = new Cancellation();
  const answer = call({ ...query, cancellation }).catch((error: unknown) => error);
  await until('it is to be tried again', async () => (await retries()) === 1);
  cancellation.cancel();
  expect(await answer).toMatchObject({ outcome: 'cancelled' });
  await until('its place is free', async () => (await underWay()) === 0);
  expect([requests(), await outcomes('cancelled')]).toEqual([1, 1]);
});

test('a call that is over in the pause before a retry leaves the one alone that has its connection now', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(20);
  const held: ServerResponse[] = [];
  const { call, requests, retries } = await partOf(
    (request, response) => {
      if (request.headers['x-fails']) response.writeHead(503).end();
      else held.push(response);
    },
    { connections: 1 },
  );
  const cancellation = new Cancellation();
  const first = call({ ...query, headers: { 'x-fails': 'yes' }, cancellation });
  await until('it is to be tried again', async () => (await retries()) === 1);
  const second = call(mutation);
  await until('the other is asked', () => held.length === 1);
  cancellation.cancel();
  await expect(first).rejects.toMatchObject({ outcome: 'cancelled' });
  held[0]?.end('hello');
  expect((await second).text).toBe('hello');
  expect(requests()).toBe(2);
});

test('retries are a tenth of the calls, and as many as there are connections, however long an outage is', async () => {
  // Every second call succeeds, or the circuit would end it.
  const { call, requests, retries, exhausted, circuit } = await partOf(
    (request, response) => response.writeHead(request.headers['x-fails'] ? 503 : 200).end(),
    { connections: 3 },
  );
  for (let n = 0; n < 50; n++) {
    await call().catch(() => undefined);
    await expect(call({ ...query, headers: { 'x-fails': 'yes' } })).rejects.toThrow('503');
  }
  expect(await retries()).toBeGreaterThan(3);
  expect(await retries()).toBeLessThanOrEqual(3 + 10);
  expect(requests()).toBe(100 + (await retries()));
  expect([(await exhausted()) > 0, await circuit()]).toEqual([true, 0]);
});

describe('the circuit', () => {
  const failures: [string, RequestListener, Partial<CallerOptions>][] = [
    ['HTTP 500', answering(500, 500, 500, 500, 500), {}],
    ['broken connections', (request) => request.socket.destroy(), {}],
    ['timeouts', () => undefined, { timeoutMs: 200 }],
  ];
  test.each(failures)(
    'opens after five calls in a row that end in %s, and answers at once',
    async (_name, listener, options) => {
      const { call, requests, outcomes, circuit } = await partOf(listener, options);
      for (let n = 0; n < 5; n++)
        await expect(call(mutation)).rejects.not.toMatchObject({ outcome: 'refused' });
      expect([requests(), await circuit()]).toEqual([5, 2]);
      for (let n = 0; n < 10; n++) await expect(call()).rejects.toMatchObject({ outcome: 'refused' });
      expect([requests(), await outcomes('refused')]).toEqual([5, 10]);
    },
  );

  test('is tried by one call after a second, which closes it while others are refused', async () => {
    const test = gate();
    let asked = 0;
    const { call, outcomes, circuit, requests } = await partOf(async (_request, response) => {
      if (++asked <= 5) return void response.writeHead(500).end();
      if (asked === 6) await test.promise;
      response.end('hello');
    });
    for (let n = 0; n < 5; n++) await expect(call()).rejects.toThrow('500');
    const calls: Promise<unknown>[] = [];
    await until(
      'one is let through',
      () => {
        calls.push(call().catch(() => undefined));
        return requests() === 6;
      },
      3_000,
    );
    expect(await circuit()).toBe(1);
    await expect(call()).rejects.toMatchObject({ outcome: 'refused' });
    test.resolve();
    await Promise.all(calls);
    expect([await circuit(), await outcomes('ok'), requests()]).toEqual([0, 1, 6]);
    expect((await call()).text).toBe('hello');
  });

  test('opens again when the one fails, which is sent once', async () => {
    const { call, circuit, requests } = await partOf((_request, response) => response.writeHead(503).end());
    for (let n = 0; n < 5; n++) await expect(call(mutation)).rejects.toThrow('503');
    await until(
      'one is let through',
      async () => {
        await call().catch(() => undefined);
        return requests() > 5;
      },
      3_000,
    );
    expect([await circuit(), requests()]).toEqual([2, 6]);
  });

  test('is not opened by 4xx, nor by failures with successes among them', async () => {
    const refusing = await partOf((_request, response) => response.writeHead(400).end());
    for (let n = 0; n < 20; n++) await refusing.call();
    let asked = 0;
    const mixed = await partOf((_request, response) => response.writeHead(++asked % 5 ? 500 : 200).end());
    for (let n = 0; n < 20; n++) await mixed.call().catch(() => undefined);
    expect([await refusing.circuit(), await mixed.circuit(), mixed.requests()]).toEqual([0, 0, 20]);
  });

  test('is not opened by calls that are slow, however many, while others are answered', async () => {
    const { call, circuit, outcomes } = await partOf(
      (request, response) => request.headers['x-slow'] || response.end(),
      { timeoutMs: 1_000, isMissing: () => true },
    );
    const slow = Array.from({ length: 10 }, () => call({ ...query, headers: { 'x-slow': 'yes' } }));
    await call();
    await Promise.allSettled(slow);
    expect([await outcomes('timeout'), await circuit()]).toEqual([10, 0]);
  });

  test('opens at the first timeout of a part that is missing, and only then', async () => {
    let missing = false;
    const { call, circuit } = await partOf(() => undefined, { timeoutMs: 50, isMissing: () => missing });
    await expect(call()).rejects.toMatchObject({ outcome: 'timeout' });
    expect(await circuit()).toBe(0);
    missing = true;
    await expect(call()).rejects.toMatchObject({ outcome: 'timeout' });
    expect(await circuit()).toBe(2);
  });

  test('is closed at once when the part is known to be there, also while a call tests it, however that ends', async () => {
    const test = gate();
    let asked = 0;
    const { caller, call, circuit, requests } = await partOf(async (_request, response) => {
      if (++asked === 6) await test.promise;
      response.writeHead(asked <= 6 ? 500 : 200).end('hello');
    });
    for (let n = 0; n < 5; n++) await expect(call()).rejects.toThrow('500');
    const tests: Promise<unknown>[] = [];
    await until(
      'one is let through',
      () => {
        tests.push(call().catch(() => undefined));
        return requests() === 6;
      },
      3_000,
    );
    caller.reset();
    expect(await circuit()).toBe(0);
    test.resolve();
    await Promise.all(tests);
    expect(await circuit()).toBe(0);
    expect((await call()).text).toBe('hello');
  });
});
