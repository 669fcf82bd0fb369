import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRedis, type Redis } from '../../platform/cache/redis.js';
import { silent } from '../../platform/testing/log.js';
import { needs } from '../../platform/testing/needs.js';
import { startTestRedis, type TestRedis } from '../../platform/testing/redis.js';
import { until } from '../../platform/testing/until.js';
import { createRateLimit, createSharedRateLimit, tooOften } from './rate-limit.js';

test('as many as in a second at once, then as they come back', () => {
  let ms = 0;
  const limit = createRateLimit(4, () => ms);
  const taken = () => Array.from({ length: 6 }, () => limit.take('a'));
  expect(taken()).toEqual([0, 0, 0, 0, 0.25, 0.25]);
  expect(limit.take('b')).toBe(0);
  ms = 250;
  expect(taken().filter((wait) => wait === 0)).toHaveLength(1);
  ms = 100_000;
  expect(taken().filter((wait) => wait === 0)).toHaveLength(4);
});

test('less than one a second is one after the other', () => {
  let ms = 0;
  const limit = createRateLimit(0.5, () => ms);
  expect(limit.take('a')).toBe(0);
  expect(limit.take('a')).toBe(2);
  ms = 2_000;
  expect(limit.take('a')).toBe(0);
});

test('no limit lets all pass', () => {
  const limit = createRateLimit(Number.POSITIVE_INFINITY);
  expect(Array.from({ length: 1_000 }, () => limit.take('a')).every((wait) => wait === 0)).toBe(true);
});

needs('redis-server')('shared by gateways', () => {
  let server: TestRedis;
  const redis: Redis[] = [];
  beforeAll(async () => {
    server = await startTestRedis();
    for (let n = 0; n < 3; n++) redis.push(createRedis({ url: server.url, prefix: 'test', log: silent }));
    await until('they are connected', () => redis.every(({ answers }) => answers));
  });
  afterAll(async () => {
    await Promise.all(redis.map((one) => one.close()));
    await server.stop();
  });

  test('all together let as many through as one would, and each by itself while Redis is away', async () => {
    const limits = redis.map((one) => createSharedRateLimit(0.01, one));
    const who = randomUUID();
    const waits = await Promise.all(Array.from({ length: 9 }, (_, n) => limits[n % 3]?.take(who)));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(1);
    expect(waits.filter((wait) => Number(wait) > 90)).toHaveLength(8);
    await server.kill();
    await until('it is missed', () => redis.every(({ answers }) => !answers));
    const alone = await Promise.all(limits.map((limit) => limit.take(who)));
    expect(alone).toEqual([0, 0, 0]);
    expect(await limits[0]?.take(who)).toBeGreaterThan(90);
  });

  test('a busy one asks Redis seldom', async () => {
    await server.start();
    await until('they are connected', () => redis.every(({ answers }) => answers));
    let asked = 0;
    const counting: Pick<Redis, 'draw'> = {
      draw: (...given) => {
        asked++;
        return (redis[0] as Redis).draw(...given);
      },
    };
    const limit = createSharedRateLimit(1_000, counting);
    const who = randomUUID();
    for (let n = 0; n < 500; n++) expect(await limit.take(who)).toBe(0);
    expect(asked).toBeLessThanOrEqual(10);
  });
});

test('who has to wait is told how long, a second at least', () => {
  expect(tooOften(0.01).extensions).toEqual({
    code: 'RATE_LIMITED',
    retryAfter: 1,
    http: { status: 429, retryAfterS: 1 },
  });
  expect(tooOften(1.2).extensions['retryAfter']).toBe(2);
});
