import { QueryPlanner } from '@apollo/query-planner';
import { LRUCache } from 'lru-cache';
import { expect, test } from 'vitest';
import { readOperation } from '../../platform/graphql/operation.js';
import { metrics } from '../../platform/metrics.js';
import { contextOf } from '../context.js';
import { composed, engineOn } from '../testing/engine.js';
import { type Combinations, compileOperation, type Shapes } from './operation.js';

const keptNow = async () => (await metrics.operationsKept.get()).values[0]?.value ?? 0;

const levels = 9;
const treeOf = (depth: number): object[] =>
  ['A', 'B'].map((__typename) => ({ __typename, id: '1', related: depth > 0 ? treeOf(depth - 1) : [] }));
const fieldsOfT = '{ id: ID!  related: [T] }';
const sdl = `interface T ${fieldsOfT} type A implements T ${fieldsOfT} type B implements T ${fieldsOfT}
  type Query { ts: [T] }`;

/** On each level another of these is for one type only: each object of the tree has a selection of its own. */
function chain(narrow: number): string {
  let selection = 'id';
  for (let level = levels; level > 0; level--)
    selection = level === narrow ? `... on A { related { ${selection} } }` : `related { ${selection} }`;
  return selection;
}
const growing = `ts { ${Array.from({ length: levels }, (_, at) => chain(at + 1)).join(' ')} }`;

const a = { sdl, answer: () => ({ data: { ts: treeOf(levels) } }) };

test('an operation that data make larger makes others go that are kept', async () => {
  const ask = engineOn({ a });
  const before = await keptNow();
  // These leave room for 20,000 of 4,000,000 characters.
  for (let n = 0; n < 39; n++) await ask(`{ ts { id } } #${n} ${' '.repeat(102_000)}`);
  expect(await keptNow()).toBe(before + 39);
  await ask(`{ ${growing} }`);
  expect(await keptNow()).toBe(before + 39);
});

test('a shape of an operation with conditions weighs what data make of it', async () => {
  const environment = composed({ a });
  const shapes: Shapes = new LRUCache({ maxSize: 100_000 });
  const query = `query($no: Boolean = false) { ${growing} n: ts @include(if: $no) { id } }`;
  const read = readOperation(environment.graph.clientSchema, { query });
  if (!('operation' in read)) throw new Error(String(read));
  const planner = new QueryPlanner(environment.graph.supergraph);
  const combinations: Combinations = new LRUCache({ max: 10 });
  const operation = compileOperation({ ...read, query }, { ...environment, planner, shapes, combinations });
  const { data } = await operation.execute({}, contextOf(null, undefined));
  expect(data?.['ts']).toHaveLength(2);
  expect(shapes.calculatedSize).toBeGreaterThan(20_000);
});
