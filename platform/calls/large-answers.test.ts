import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { silent } from '../testing/log.js';
import { until } from '../testing/until.js';
import { type Call, type CallerOptions, createCaller } from './caller.js';

const mebibyte = 1024 * 1024;
const chunk = Buffer.alloc(mebibyte, 'x');
const query: Call = { method: 'POST', headers: {}, body: '{}', safe: true };

const running: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

async function callerOf(listener: RequestListener, options: Partial<CallerOptions> = {}) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const caller = createCaller({ part: randomUUID(), url, timeoutMs: 25_000, log: silent, ...options });
  running.push(async () => {
    server.closeAllConnections();
    await Promise.all([new Promise((resolve) => server.close(resolve)), caller.close()]);
  });
  const call = (name = '') => caller.call({ ...query, headers: { 'x-name': name } });
  return { call, server };
}

/** Sends so many mebibytes as fast as they are read; answers how many had been sent when it was over. */
async function send(response: ServerResponse, mebibytes: number): Promise<number> {
  let wake = (): void => {};
  response.on('drain', () => wake()).on('close', () => wake());
  let sent = 0;
  for (; sent < mebibytes && !response.destroyed; sent++) {
    if (response.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  response.end();
  return sent;
}

describe('an answer of 300 MB', () => {
  test.each([
    ['that says so', { 'content-length': 300 * mebibyte }],
    ['that does not say so', {}],
  ])('%s is broken off after 64 MiB, and its connection closed', async (_name, headers) => {
    let sent: Promise<number> | undefined;
    const { call, server } = await callerOf((request, response) => {
      if (request.headers['x-name'] === 'small') return void response.end('hello');
      response.writeHead(200, headers);
      sent = send(response, 300);
    });
    await expect(call()).rejects.toThrow('more than 67108864 bytes');
    // What had been written when it was broken off is in buffers of the system.
    expect(await sent).toBeLessThan(100);
    expect((await call('small')).text).toBe('hello');
    await until(
      'one connection is left',
      async () =>
        new Promise<boolean>((resolve) => server.getConnections((_error, count) => resolve(count <= 1))),
    );
  });
});

test('of many large answers at once no more is held than so much; small ones are not broken off for them', async () => {
  const held: ServerResponse[] = [];
  const { call } = await callerOf(
    (request, response) => {
      if (request.headers['x-name'] === 'small') return void response.end('hello');
      // It stops short of its end, so that what was read of it stays.
      for (let n = 0; n < 4; n++) response.write(chunk);
      held.push(response);
    },
    { answersLimit: 14 * mebibyte },
  );
  const calls = Array.from({ length: 10 }, () => call());
  const outcomes = calls.map((given) =>
    given.then(
      ({ text }) => text.length,
      (error: unknown) => error,
    ),
  );
  const broken: unknown[] = [];
  for (const outcome of outcomes)
    void outcome.then((value) => typeof value !== 'number' && broken.push(value));
  await until('those that are too many are broken off', () => broken.length >= 7);
  expect(broken[0]).toMatchObject({ outcome: 'full' });
  expect((await call('small')).text).toBe('hello');
  for (const response of held) response.end();
  const lengths = (await Promise.all(outcomes)).filter((value) => typeof value === 'number');
  expect(lengths).toEqual(lengths.map(() => 4 * mebibyte));
  expect(lengths.length).toBeGreaterThanOrEqual(2);
  // All of it is given back: the same goes again, one after the other.
  for (let n = 0; n < 5; n++) {
    const { length } = held;
    const given = call();
    await until('it is asked', () => held.length > length);
    held.at(-1)?.end();
    expect((await given).text).toHaveLength(4 * mebibyte);
  }
});
