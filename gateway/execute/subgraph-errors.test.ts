import { expect, test } from 'vitest';
import { deepest } from './depth.js';
import { mostErrors, subgraphErrors } from './subgraph-errors.js';

test('of more errors than an answer has room for the first are kept', () => {
  const errors = Array.from({ length: mostErrors + 5 }, (_, index) => ({ message: `${index}` }));
  const kept = subgraphErrors(errors);
  expect(kept).toHaveLength(mostErrors);
  expect(kept.at(-1)?.message).toBe(`${mostErrors - 1}`);
});

test('a path that is longer than any answer is deep is none', () => {
  const pathOf = (length: number) => Array.from({ length }, () => 1);
  const given = [deepest, deepest + 1].map((length) => ({ message: 'x', path: pathOf(length) }));
  expect(subgraphErrors(given).map(({ path }) => path)).toEqual([pathOf(deepest), undefined]);
});
