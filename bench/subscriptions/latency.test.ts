import { expect, test } from 'vitest';
import { latencies, median, percentile } from './latency.js';

const received = (sockets: number[][], perSocket: number) => {
  const times = new Float64Array(sockets.length * perSocket);
  for (const [n, own] of sockets.entries()) times.set(own.slice(0, perSocket), n * perSocket);
  return { times, counts: Uint32Array.from(sockets.map((own) => own.length)), perSocket };
};

test('the nth message of each socket is the nth change of all', () => {
  const { wrong, sorted } = latencies(
    received(
      [
        [12, 25],
        [11, 21],
      ],
      2,
    ),
    { all: [10, 20] },
  );
  expect([wrong, ...sorted]).toEqual([0, 1, 1, 2, 5]);
});

test('or the nth of its own, of which there may be none', () => {
  const { wrong, sorted } = latencies(received([[12], [], [31, 42]], 3), { each: [[10], [], [30, 40]] });
  expect([wrong, ...sorted]).toEqual([0, 1, 2, 2]);
});

test('sockets that got more or less than was changed are counted', () => {
  expect(latencies(received([[12, 13], [12], []], 1), { all: [10] }).wrong).toBe(2);
  expect(latencies(received([[12]], 1), { each: [[10, 11]] }).wrong).toBe(1);
});

test('percentiles are values that were measured, medians lie in the middle', () => {
  const hundred = Array.from({ length: 100 }, (_, n) => n + 1);
  expect([0.5, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([50, 99, 100]);
  expect(percentile([], 0.99)).toBeNaN();
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
});
