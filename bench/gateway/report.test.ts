import { expect, test } from 'vitest';
import { difference } from './check.js';
import { medians, type Round } from './measure.js';
import { type Outcomes, promises, tableOf } from './report.js';

const round = (perSecond: number, p99Ms: number): Round => ({
  ...{ perSecond, p99Ms, p50Ms: 1 },
  ...{ cpuMs: 1, busy: 1, othersBusy: 0.1 },
});
const outcomes = (of: Record<string, Round>): Outcomes =>
  new Map(
    Object.entries(of).map(([name, figures]) => [name as 'ours', { title: name, figures, fetchesEach: 2 }]),
  );

test('each promise is held against the contestant and the query that it names', () => {
  const small = outcomes({ stock: round(100, 100), ours: round(1_100, 9), floor: round(1_000, 5) });
  const big = outcomes({ stock: round(10, 100), ours: round(60, 25), floor: round(61, 20) });
  const lines = promises(
    new Map([
      ['small', small],
      ['big', big],
    ]),
  ).split('\n');
  expect(lines.map((line) => line.trim().split(/ {2,}/).at(-1))).toEqual(['holds', 'holds', 'does not hold']);
  const [, onBig, p99] = promises(new Map([['big', big]])).split('\n');
  expect(onBig).toMatch(/0\.98 x floor .* 6\.00 x stock .* holds$/);
  expect(p99).toMatch(/not measured$/);
});

test('one that answered wrong has no figures, and nobody is held against it', () => {
  const some = new Map([
    ...outcomes({ ours: round(1_100, 9) }),
    ['stock', { title: 'Stock', reason: 'wrong: data.a is 1, not 2' }] as const,
  ]);
  const [, ours, stock, why] = tableOf(some).split('\n');
  expect(ours).toMatch(/ 1100 .* - .* - /);
  expect(stock?.split(/ +/)).toEqual(['Stock', '-']);
  expect(why).toBe('Stock: wrong: data.a is 1, not 2');
});

test('the median of an even number of rounds is between the two in the middle', () => {
  expect(medians([round(1, 4), round(9, 1), round(2, 3)])).toMatchObject({ perSecond: 2, p99Ms: 3 });
  expect(medians([round(1, 1), round(9, 1), round(2, 1), round(4, 1)])).toMatchObject({ perSecond: 3 });
  expect(medians([{ ...round(1, 1), cpuMs: undefined }]).cpuMs).toBeUndefined();
});

test('two answers differ where a value does, or is missing on either side, but not by order', () => {
  expect(difference({ a: 1, b: [{ c: 2, d: null }] }, { b: [{ d: null, c: 2 }], a: 1 })).toBeUndefined();
  expect(difference({ b: [{ c: 2 }] }, { b: [{ c: 3 }] })).toBe('data.b.0.c is 2, not 3');
  expect(difference({ b: [1] }, { b: [1, 2] })).toBe('data.b.1 is missing, not 2');
  expect(difference({ a: 1, b: 2 }, { a: 1 })).toBe('data.b is 2, not missing');
  expect(difference({ a: null }, { a: {} })).toBe('data.a is null, not {}');
});
