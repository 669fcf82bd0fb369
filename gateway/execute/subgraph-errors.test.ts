import { expect, test } from 'vitest';
import { mostErrors, subgraphErrors } from './subgraph-errors.js';

test('of more errors than an answer has room for the first are kept', () => {
  const errors = Array.from({ length: mostErrors + 5 }, (_, index) => ({ message: `${index}` }));
  const kept = subgraphErrors(errors);
  expect(kept).toHaveLength(mostErrors);
  expect(kept.at(-1)?.message).toBe(`${mostErrors - 1}`);
});
