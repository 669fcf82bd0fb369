import { expect, test } from 'vitest';
import { metrics } from '../metrics.js';
import { silent } from '../testing/log.js';
import { countOutcomes, timeHandling, watchLag } from './outcomes.js';

const value = async (name: string, group: string): Promise<number | undefined> => {
  const lines = (await metrics.registry.metrics()).split('\n');
  const line = lines.find((text) => text.startsWith(`${name}{`) && text.includes(`group="${group}"`));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
};

test('what was handled, tried again and put aside is counted by group and topic', async () => {
  countOutcomes('one', 'a.topic', { done: 5, retried: 2, dead: 0 });
  countOutcomes('one', 'a.topic', { done: 1, retried: 0, dead: 1 });
  countOutcomes('two', 'a.topic', { done: 7, retried: 0, dead: 0 });
  expect(await value('consumer_events_handled_total', 'one')).toBe(6);
  expect(await value('consumer_retries_total', 'one')).toBe(2);
  expect(await value('consumer_dead_letters_total', 'one')).toBe(1);
  expect(await value('consumer_events_handled_total', 'two')).toBe(7);
});

test('the time of a batch is measured', async () => {
  timeHandling('timed', 'a.topic')();
  expect(await value('consumer_batch_duration_seconds_count', 'timed')).toBe(1);
  expect(await value('consumer_batch_duration_seconds_sum', 'timed')).toBeLessThan(1);
});

test('a consumer has its counters before its first event, and its lag as long as it can be measured', async () => {
  let answer = async () => [{ group: 'early', topic: 'a.topic', events: 4 }];
  const consumers = [
    { group: 'early', topic: 'a.topic' },
    { group: 'unknown', topic: 'a.topic' },
  ];
  const start = () => watchLag({ consumers, log: silent, measure: () => answer() });
  const watch = start();
  expect(await value('consumer_dead_letters_total', 'early')).toBe(0);
  expect(await value('consumer_retries_total', 'early')).toBe(0);
  await expect.poll(() => value('consumer_lag_events', 'early')).toBe(4);
  expect(await value('consumer_lag_events', 'unknown')).toBeUndefined();
  await watch.stop();
  expect(await value('consumer_lag_events', 'early')).toBeUndefined();

  metrics.lag.set(consumers[0] ?? {}, 9);
  answer = async () => {
    throw new Error('nobody answers');
  };
  const blind = start();
  await expect.poll(() => value('consumer_lag_events', 'early')).toBeUndefined();
  await blind.stop();
});
