import { expect, test } from 'vitest';
import { createRateLimit, tooOften } from './rate-limit.js';

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

test('who has to wait is told how long, a second at least', () => {
  expect(tooOften(0.01).extensions).toEqual({
    code: 'RATE_LIMITED',
    retryAfter: 1,
    http: { status: 429, retryAfterS: 1 },
  });
  expect(tooOften(1.2).extensions['retryAfter']).toBe(2);
});
