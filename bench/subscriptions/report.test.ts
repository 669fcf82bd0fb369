import { expect, test } from 'vitest';
import type { Round } from './deliver.js';
import {
  type Distinct,
  distinctRatio,
  type FanOut,
  fanOutRatio,
  type Idle,
  printed,
  promisesOf,
} from './report.js';

const round = (serverUs: number, p99Ms = 10): Round => ({
  ...{ wrong: 0, deliveries: 1_000, sample: [], p50Ms: p99Ms / 2, p99Ms, perSecond: 5_000 },
  cpuUs: { server: serverUs, subgraph: 3, clients: 5 },
});

const fanOut = (sockets: number, oursUs: number[], oursP99: number): FanOut => ({
  ...{ sockets, bytes: 300 },
  fast: { ours: oursUs.map((us) => round(us)), floor: [round(10), round(11), round(900)] },
  steady: { ours: [round(1, oursP99)], floor: [round(1, 20)] },
});

const distinct = (us: number, p99Ms: number): Distinct => ({
  orders: 10_000,
  fast: [round(us)],
  steady: [round(us, p99Ms)],
  queries: [100, 110, 5_000].map((server) => ({ perSecond: 1_000, cpuUs: { server, subgraph: 80 } })),
});

const idler = (rssBytes: number, heapBytes: number, cpu: number) => ({ rssBytes, heapBytes, cpu });
const idle: Idle = {
  sockets: 10_000,
  bare: idler(10_240, 8_192, 0.02),
  shared: idler(15_360, 8_192, 0.01),
  distinct: idler(15_370, 8_192, 0.04),
};

const verdicts = (text: string): (string | undefined)[] =>
  text.split('\n').map((line) => line.trim().split(/ {2,}/).at(-1));

test('ratios are of medians, so that one bad round changes nothing', () => {
  expect(fanOutRatio(fanOut(1_000, [11, 12.1, 700], 5))).toBeCloseTo(1.1);
  expect(distinctRatio(distinct(55, 5))).toBeCloseTo(0.5);
});

test('each promise is held against what was measured beside it', () => {
  const fanOuts = [fanOut(10_000, [17], 71), fanOut(1_000, [16], 70)];
  const results = { fanOuts, distinct: distinct(165, 70.1), idle };
  const no = 'does not hold';
  expect(verdicts(promisesOf(results, 5_000))).toEqual([
    ...[no, 'holds', 'holds', no, 'holds', no],
    ...['holds', 'holds', 'holds', no, 'holds', no],
  ]);
});

test('what was not measured is not judged, and a figure that this machine cannot tell holds nothing', () => {
  expect(verdicts(promisesOf({ fanOuts: [], distinct: distinct(100, 1), idle: undefined }, 5_000))).toEqual([
    'holds',
  ]);
  const unknown = fanOut(1_000, [Number.NaN], 1);
  expect(verdicts(promisesOf({ fanOuts: [unknown], distinct: undefined, idle: undefined }, 1))[0]).toBe(
    'does not hold',
  );
});

test('the report has a table for all that was measured', () => {
  const text = printed({ fanOuts: [fanOut(1_000, [16], 70)], distinct: distinct(100, 1), idle }, 5_000);
  expect(text.split('\n\n')).toHaveLength(4);
  expect(text).toMatch(/^1000 sockets on one order +16\.0 +1\.45 /m);
  expect(text).toMatch(/^ours, one order +15\.0 +1\.50 +8\.0 +1\.00 +1\.0 % +0\.50$/m);
});
