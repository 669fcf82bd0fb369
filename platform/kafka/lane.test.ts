import { expect, test } from 'vitest';
import { createLane } from './lane.js';

/** Messages of these offsets, their keys from `keys` in turn. */
const messages = (from: number, count: number, keys = ['a']) =>
  Array.from({ length: count }, (_, n) => ({
    key: Buffer.from(keys[n % keys.length] ?? ''),
    value: Buffer.alloc(10),
    timestamp: '0',
    attributes: 0,
    offset: String(from + n),
    headers: {},
  }));

const offsets = (entries: { offset: bigint }[]) => entries.map(({ offset }) => Number(offset));

test('what comes again after a rebalance is left out, and the position is that of the oldest that waits', () => {
  const lane = createLane('g', 't', 0);
  lane.push(messages(10, 4));
  lane.push(messages(10, 6));
  expect(offsets(lane.due(0, 100))).toEqual([10, 11, 12, 13, 14, 15]);
  const [, second, ...rest] = lane.due(0, 100);
  lane.settle(new Set(rest));
  expect([lane.position, lane.size, lane.bytes]).toEqual([10n, 2, 20]);
  lane.settle(new Set(lane.due(0, 1)));
  expect(lane.position).toBe(11n);
  if (second) lane.settle(new Set([second]));
  expect([lane.position, lane.size, lane.bytes]).toEqual([16n, 0, 0]);
});

test('of a topic that was made anew all is new', () => {
  const lane = createLane('g', 't', 0);
  lane.push(messages(0, 20));
  lane.settle(new Set(lane.due(0, 20)));
  lane.committed = 20n;
  lane.push(messages(0, 30));
  expect(offsets(lane.due(0, 100))).toHaveLength(30);
});

test('a key waits with its first, and the others do not', () => {
  const lane = createLane('g', 't', 0);
  lane.push(messages(0, 6, ['a', 'b', 'c']));
  const [, poisoned] = lane.due(0, 100);
  if (poisoned) poisoned.nextAt = 50;
  expect(offsets(lane.due(10, 100))).toEqual([0, 2, 3, 5]);
  expect(lane.soonest(10)).toBe(50);
  expect(offsets(lane.due(50, 100))).toEqual([0, 1, 2, 3, 4, 5]);
});
