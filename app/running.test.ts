import { expect, test } from 'vitest';
import type { Bus } from '../platform/bus/bus.js';
import { Lifecycle } from '../platform/lifecycle.js';
import type { RunningSubgraph } from '../platform/subgraph/server.js';
import { silent } from '../platform/testing/log.js';
import { runOnBus } from './running.js';

const happened: string[] = [];
const note = (what: string) => async () => void happened.push(what);

const subgraph = (name: string): RunningSubgraph => ({
  name,
  url: '',
  async run() {
    happened.push(`${name} runs`);
    return { stop: note(`${name} has ended its workers`) };
  },
  leave: note(`${name} has left`),
  stop: note(`${name} has stopped`),
});
const busOf = (start: Bus['start']) => ({ start, stop: note('the bus has stopped') }) as Bus;

test('subgraphs run once the bus does; they leave before their workers end, and those end before the bus stops', async () => {
  happened.length = 0;
  const lifecycle = new Lifecycle({ log: silent, timeoutMs: 5_000 });
  await runOnBus(lifecycle, busOf(note('the bus runs')), [subgraph('order'), subgraph('user')]);
  expect(happened).toEqual(['the bus runs', 'order runs', 'user runs']);
  happened.length = 0;
  await lifecycle.stop();
  const steps = ['has left', 'has ended its workers'];
  expect(happened).toEqual([
    ...steps.flatMap((step) => ['user', 'order'].map((name) => `${name} ${step}`)),
    'the bus has stopped',
  ]);
});

test('a bus that is still waiting when told to stop is stopped all the same, and nothing runs', async () => {
  happened.length = 0;
  const lifecycle = new Lifecycle({ log: silent, timeoutMs: 5_000 });
  const bus = busOf(
    (signal) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
  );
  const running = runOnBus(lifecycle, bus, [subgraph('order')]);
  running.catch(() => undefined);
  expect(await lifecycle.stop()).toBe(true);
  await expect(running).rejects.toThrow();
  expect(happened).toEqual(['the bus has stopped']);
});
