import { describe, expect, test } from 'vitest';
import { compareFeed, compareHistory, type Event, type Row } from './history.js';

const row = (position: number, status: string, orderId = 'a'): Row => ({
  ...{ position: String(position), status, orderId, at: position },
});
const fine = { gaps: 0, doubles: 0, wrong: [] };

describe('of one order', () => {
  const rows = [row(1, 'PENDING'), row(2, 'PAID'), row(3, 'PAID'), row(4, 'COMPLETED')];
  const seen = (...positions: number[]): Event[] =>
    positions.map((position) => rows[position - 1] ?? row(position, 'PAID'));

  test('what begins anywhere and goes on to the end is all of it', () => {
    expect(compareHistory(rows, seen(1, 2, 3, 4))).toEqual(fine);
    expect(compareHistory(rows, seen(3, 4))).toEqual(fine);
    expect(compareHistory([], [])).toEqual(fine);
  });

  test('gaps and doubles are counted', () => {
    expect(compareHistory(rows, [])).toEqual({ ...fine, gaps: 4 });
    expect(compareHistory(rows, seen(2, 4))).toEqual({ ...fine, gaps: 1 });
    expect(compareHistory(rows, seen(1, 2))).toEqual({ ...fine, gaps: 2 });
    expect(compareHistory(rows, seen(1, 2, 2, 3, 3, 4))).toEqual({ ...fine, doubles: 2 });
  });

  test('so is what comes too late, or was another', () => {
    expect(compareHistory(rows, seen(1, 3, 2, 4)).wrong).toEqual(['PAID at 2 came after what followed it']);
    expect(compareHistory(rows, seen(1, 2, 3, 4, 5)).wrong).toEqual(['PAID at 5 never happened']);
    expect(compareHistory(rows, [row(1, 'PENDING'), row(2, 'CANCELLED'), ...seen(3, 4)]).wrong).toEqual([
      'CANCELLED at 2, which was PAID',
    ]);
  });
});

describe('of a feed', () => {
  const isOpen = (status: string) => status !== 'DONE';
  const rows = [
    row(1, 'NEW', 'a'),
    row(2, 'NEW', 'b'),
    row(3, 'DONE', 'a'),
    row(4, 'ON', 'b'),
    row(5, 'NEW', 'c'),
    row(6, 'DONE', 'b'),
  ];
  const seen = (...positions: number[]): Event[] => positions.flatMap((position) => rows[position - 1] ?? []);

  test.each([
    ['before the first', [1, 2, 3, 4, 5, 6]],
    ['when two are open', [1, 2, 3, 4, 5, 6]],
    ['when one has ended', [2, 4, 5, 6]],
    ['when one has moved', [4, 5, 6]],
    ['when all but one have ended', [5]],
  ])('it begins %s', (_when, positions) => {
    expect(compareFeed(rows, seen(...positions), isOpen)).toEqual(fine);
  });

  test('nothing may be missing after that', () => {
    expect(compareFeed(rows, seen(1, 2, 4, 5, 6), isOpen).gaps).toBe(1);
    expect(compareFeed(rows, seen(4, 6), isOpen).gaps).toBeGreaterThan(0);
    expect(compareFeed(rows, seen(4, 5, 5, 6), isOpen).doubles).toBe(1);
    expect(compareFeed(rows, seen(1, 2, 3, 5, 4, 6), isOpen).wrong).toHaveLength(1);
  });
});
