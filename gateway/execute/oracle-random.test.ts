import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as breakers from '../../platform/calls/breaker.js';
import { type Duel, startDuel } from '../testing/oracle/duel.js';
import { fuzz, summaryText } from '../testing/oracle/fuzz.js';

// Subgraphs fail here by plan; a circuit that one request opens would make another fail that should not.
beforeEach(() => {
  vi.spyOn(breakers, 'createBreaker').mockReturnValue({
    isClosed: () => true,
    closed: () => undefined,
    execute: (call) => call(),
    reset: () => {},
  });
});

const isLong = process.env['FUZZ'] === 'long';
const seed = process.env['FUZZ_SEED'] ?? (isLong ? String(Date.now()) : '1');
/** How many queries: without faults, with faults in fields, with subgraphs that answer nonsense, and none at all. */
const counts = isLong
  ? { none: 20_000, fields: 3_800, outage: 1_140, crash: 60 }
  : { none: 1_500, fields: 350, outage: 130, crash: 20 };
const timeout = isLong ? 6 * 3_600_000 : 600_000;
const progressMs = 5_000;

let duel: Duel;
afterEach(() => duel.stop());

async function run(
  some: Parameters<typeof fuzz>[0]['counts'],
  concurrency: number,
  subgraphTimeoutMs = 30_000,
): Promise<void> {
  duel = await startDuel({ subgraphTimeoutMs, readTimeoutMs: 60_000, writeTimeoutMs: 60_000 });
  expect(breakers.createBreaker).toHaveBeenCalled();
  let told = performance.now();
  const summary = await fuzz({
    duel,
    seed,
    counts: some,
    concurrency,
    onProgress(asked, all) {
      if (!isLong || performance.now() - told < progressMs) return;
      told = performance.now();
      console.log(`${asked} of ${all}, seed ${seed}`);
    },
  });
  if (isLong || summary.failures.length > 0) console.log(`seed ${seed}: ${summaryText(summary)}`);
  expect(summary.failures).toEqual([]);
}

test('random queries are answered alike', { timeout }, () => run({ none: counts.none }, 6));

test('random queries with faults in fields are answered alike, but for what is known', { timeout }, () =>
  run({ fields: counts.fields }, 6),
);

test(
  'random queries to subgraphs that answer nonsense are answered alike, but for what is known',
  {
    timeout,
  },
  () => run({ outage: counts.outage }, 6),
);

test('random queries to subgraphs that hang or crash are answered alike', { timeout }, () =>
  run({ crash: counts.crash }, 20, 2_000),
);
