import { randomUUID } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silent } from '../testing/log.js';
import { until } from '../testing/until.js';
import { type Call, type Caller, createCaller } from './caller.js';
import { Cancellation } from './cancellation.js';

const query: Call = { method: 'POST', headers: {}, body: '{}', safe: true };
const cancelled = { outcome: 'cancelled' };

let caller: Caller;
let stop: () => Promise<void>;
let answer: (response: ServerResponse) => void;
let connections: number;
/** What was asked, in order, and whether it was broken off. */
let asked: { name: string; isClosed: boolean }[];
beforeEach(async () => {
  asked = [];
  connections = 0;
  answer = (response) => response.end('hello');
  const server = createServer((request, response) => {
    const entry = { name: String(request.headers['x-name']), isClosed: false };
    asked.push(entry);
    response.once('close', () => {
      entry.isClosed = !response.writableFinished;
    });
    answer(response);
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  caller = createCaller({
    part: randomUUID(),
    url: `http://127.0.0.1:${port}`,
    timeoutMs: 10_000,
    log: silent,
    connections: 2,
  });
  stop = async () => {
    server.closeAllConnections();
    await Promise.all([new Promise((resolve) => server.close(resolve)), caller.close()]);
  };
});
afterEach(() => stop());

const call = (name: string, cancellation?: Cancellation) =>
  caller.call({ ...query, headers: { 'x-name': name }, cancellation });
const names = () => asked.map(({ name }) => name);

describe('a cancellation', () => {
  test('breaks off a call, whose connection is closed', async () => {
    answer = () => undefined;
    const cancellation = new Cancellation();
    const given = call('a', cancellation);
    await until('it is asked', () => asked.length === 1);
    cancellation.cancel();
    await expect(given).rejects.toMatchObject(cancelled);
    await until('it is closed', () => asked[0]?.isClosed);
  });

  test('that came before its call keeps that from being sent, and costs no connection', async () => {
    // Both connections are there, and would be written to at once.
    await Promise.all([call('a'), call('b')]);
    const cancellation = new Cancellation();
    cancellation.cancel();
    for (let n = 0; n < 5; n++) await expect(call('gone', cancellation)).rejects.toMatchObject(cancelled);
    await Promise.all([call('c'), call('d')]);
    expect(names().sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(connections).toBe(2);
  });

  test('reaches a call that waits for a connection, and one that waits to be sent again', async () => {
    answer = () => undefined;
    const [first, second, third] = [new Cancellation(), new Cancellation(), new Cancellation()];
    const calls = [call('a', first), call('b', second), call('c', third)];
    const outcomes = Promise.allSettled(calls);
    await until('both connections are taken', () => asked.length === 2);
    third.cancel();
    answer = (response) => response.end('hello');
    first.cancel();
    second.cancel();
    for (const { status, ...rest } of await outcomes)
      expect({ status, ...rest }).toMatchObject({ status: 'rejected', reason: cancelled });
    await Promise.all([call('d'), call('e')]);
    expect(names().sort()).toEqual(['a', 'b', 'd', 'e']);
  });

  test('leaves no listener behind, however a call ends', async () => {
    const cancellation = new Cancellation();
    const added = countListeners(cancellation);
    await call('a', cancellation);
    answer = (response) => response.writeHead(500).end();
    await expect(call('b', cancellation)).rejects.toThrow('500');
    answer = (response) => response.socket?.destroy();
    await expect(call('c', cancellation)).rejects.toThrow();
    expect(added()).toBe(0);
  });
});

// A timer keeps the answer of its call for as long as the call might have taken.
test('no call leaves a timer behind, however it ends', async () => {
  const before = activeTimers();
  for (let n = 0; n < 20; n++) await call('a');
  const cancellation = new Cancellation();
  answer = () => undefined;
  const hanging = Promise.allSettled(Array.from({ length: 20 }, () => call('b', cancellation)));
  await until('two are sent', () => names().filter((name) => name === 'b').length === 2);
  cancellation.cancel();
  await hanging;
  answer = (response) => response.writeHead(500).end();
  await expect(call('c')).rejects.toThrow('500');
  // Those of connections stay.
  expect(activeTimers() - before).toBeLessThan(10);
});

const activeTimers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

/** How many listen that did not before. */
function countListeners(cancellation: Cancellation): () => number {
  const listeners = new Set<() => void>();
  const [add, remove] = [cancellation.add.bind(cancellation), cancellation.delete.bind(cancellation)];
  cancellation.add = (listener) => {
    listeners.add(listener);
    add(listener);
  };
  cancellation.delete = (listener) => {
    listeners.delete(listener);
    remove(listener);
  };
  return () => listeners.size;
}

test('a client that goes away while its call tests a part that hangs does not close the circuit', async () => {
  answer = (response) => response.writeHead(500).end();
  for (let n = 0; n < 5; n++) await expect(call('a')).rejects.toThrow('500');
  answer = () => undefined;
  const cancellation = new Cancellation();
  let tests: Promise<unknown>[] = [];
  await until('one is let through', () => {
    tests.push(call('test', cancellation).catch((error: unknown) => error));
    return names().includes('test');
  });
  cancellation.cancel();
  expect((await Promise.all(tests)).at(-1)).toMatchObject({
    outcome: expect.stringMatching('refused|cancelled'),
  });
  // Nothing is known of the part: the next call has no second to wait for it.
  await expect(call('b')).rejects.toMatchObject({ outcome: 'refused' });
  answer = (response) => response.end('hello');
  tests = [];
  await until('it is tried again', async () => (await call('c').catch(() => undefined))?.text === 'hello');
});
