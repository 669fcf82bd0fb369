import { expect, test } from 'vitest';
import { planFetches } from './plan.js';
import { queries } from './queries.js';
import { composeSupergraph, subgraphNames } from './schema.js';

const sdl = composeSupergraph(
  Object.fromEntries(subgraphNames.map((name) => [name, `http://127.0.0.1:1/${name}`])),
);

test('the queries are planned as the fetches that they are said to be', () => {
  expect(planFetches(sdl, queries.small).map(({ subgraph, path }) => [subgraph, path])).toEqual([
    ['orders', ''],
    ['users', 'order.customer'],
  ]);
  const paths = planFetches(sdl, queries.big).map(({ subgraph, path }) => `${subgraph} ${path}`);
  expect(new Set(paths).size).toBe(16);
});

test('another number of fetches is another measurement', () => {
  expect(() => planFetches(sdl, { ...queries.small, fetches: 3 })).toThrow('2 fetches, not 3');
});
