import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { partOf, query, stopParts } from '../testing/caller.js';
import { until } from '../testing/until.js';

afterEach(stopParts);

describe('a call has so much time in all', () => {
  const timeout = { outcome: 'timeout' };
  test('for its first byte and for its last', async () => {
    const mute = await partOf(() => undefined, { timeoutMs: 200 });
    await expect(mute.call()).rejects.toMatchObject(timeout);
    const endless = await partOf((_request, response) => response.write('a'), { timeoutMs: 50 });
    await expect(endless.call()).rejects.toMatchObject(timeout);
    expect([mute.requests(), await mute.outcomes('timeout'), await mute.durations()]).toEqual([1, 1, 1]);
  });

  test('for a connection, and what left before it had one is never sent', async () => {
    const held: ServerResponse[] = [];
    const { call, requests, underWay } = await partOf((_request, response) => held.push(response), {
      connections: 1,
    });
    const first = call();
    await until('the connection is taken', () => held.length === 1);
    await expect(call({ ...query, deadline: performance.now() + 50 })).rejects.toMatchObject(timeout);
    expect(await underWay()).toBe(1);
    held[0]?.end('hello');
    expect((await first).text).toBe('hello');
    const third = call();
    await until('the next is sent', () => held.length === 2);
    expect(await underWay()).toBe(1);
    held[1]?.end();
    await third;
    expect([requests(), await underWay()]).toEqual([2, 0]);
  });

  test('and no more than until its deadline; past that it is not sent', async () => {
    const { call, requests, circuit } = await partOf(() => undefined);
    await expect(call({ ...query, deadline: performance.now() + 200 })).rejects.toMatchObject(timeout);
    for (let n = 0; n < 10; n++)
      await expect(call({ ...query, deadline: performance.now() })).rejects.toMatchObject(timeout);
    expect([requests(), await circuit()]).toEqual([1, 0]);
  });
});

test('no more calls than so many are under way', async () => {
  const held: ServerResponse[] = [];
  const { call, outcomes, underWay } = await partOf((_request, response) => held.push(response), {
    connections: 1,
    mostCalls: 3,
  });
  const calls = [call(), call(), call()];
  await expect(call()).rejects.toMatchObject({ outcome: 'full' });
  expect([await outcomes('full'), await underWay()]).toEqual([1, 3]);
  const answerAll = setInterval(() => held.splice(0).map((response) => response.end()));
  await Promise.all(calls);
  clearInterval(answerAll);
  expect([await outcomes('ok'), await underWay()]).toEqual([3, 0]);
});
