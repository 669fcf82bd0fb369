import { QueryPlanner } from '@apollo/query-planner';
import { expect, test } from 'vitest';
import { composed } from '../../testing/engine.js';
import { createOperations } from '../operations.js';

const answer = () => ({ data: {} });
const { graph, sources } = composed({
  parts: {
    answer,
    sdl: 'type Kit @key(fields: "id") { id: ID!  parts: Int @shareable } type Query { kit: Kit }',
  },
  totals: {
    answer,
    sdl: `type Kit @key(fields: "id") { id: ID!  parts: Int @external  total: Int @requires(fields: "parts")  size: Int }
      type Box @key(fields: "id") { id: ID!  kit: Kit  counted: Kit @provides(fields: "parts") }
      type Query { ours: Kit  counted: Kit @provides(fields: "parts") }`,
  },
  taxes: {
    answer,
    sdl: `type Kit @key(fields: "id") { id: ID!  total: Int @external  tax: Int @requires(fields: "total") }
      type Box @key(fields: "id") { id: ID! }
      type Query { taxed: Kit  boxes: [Box] }`,
  },
});
const { find } = createOperations({
  ...{ graph, sources, introspection: true },
  planner: new QueryPlanner(graph.supergraph),
});

/** The same, where a part of what is required is in a key. */
const nested = composed({
  parts: {
    answer,
    sdl: `type Kit @key(fields: "maker { id }") { maker: Maker  }
      type Maker @shareable { id: ID!  no: Int @shareable } type Query { kit: Kit }`,
  },
  totals: {
    answer,
    sdl: `type Kit @key(fields: "maker { id }") { maker: Maker  total: Int @requires(fields: "maker { no }") }
      type Maker { id: ID! @shareable  no: Int @external } type Query { ours: Kit }`,
  },
  taxes: {
    answer,
    sdl: `type Kit @key(fields: "maker { id }") { maker: Maker  total: Int @external  tax: Int @requires(fields: "total") }
      type Maker { id: ID! @shareable } type Query { taxed: Kit }`,
  },
});

const message =
  'Kit.total needs Kit.parts, which cannot be fetched before it here: ask for the object by another field.';

test.each([
  ['as root fields', '{ ours { tax } }'],
  ['beside it', '{ ours { total tax } }'],
  ['below an entity', '{ boxes { kit { tax } } }'],
])('a field is not fetched before what it requires, where another requires it: %s', (_where, query) => {
  expect(find({ query })).toMatchObject([{ message, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
});

test('with a condition it is refused where that holds', () => {
  const operation = find({ query: 'query ($is: Boolean!) { ours { size ... @include(if: $is) { tax } } }' });
  if (!('execute' in operation)) throw new Error('it was refused');
  expect(operation.variableErrors({ is: true })).toMatchObject([{ message }]);
  expect(operation.variableErrors({ is: false })).toEqual([]);
});

test.each([
  ['by its own subgraph', '{ taxed { tax } }'],
  ['by that of the first', '{ kit { tax total } }'],
  ['without the second', '{ ours { total size } boxes { kit { total } } }'],
  ['provided with what the first needs', '{ counted { total } boxes { counted { total } } }'],
])('and is, where there is something between: %s', (_how, query) => {
  expect(find({ query })).toHaveProperty('execute');
});

test('so it is with a part of a value of which the key has another part', () => {
  const operations = createOperations({
    ...{ graph: nested.graph, sources: nested.sources, introspection: true },
    planner: new QueryPlanner(nested.graph.supergraph),
  });
  expect(operations.find({ query: '{ ours { tax } }' })).toMatchObject([
    { message: message.replace('Kit.parts', 'Kit.maker.no') },
  ]);
  expect(operations.find({ query: '{ taxed { tax } }' })).toHaveProperty('execute');
});

test('so it is where the subgraph is asked for what another has, beside the field that requires it', () => {
  const asked = composed({
    totals: {
      answer,
      sdl: `type Kit @key(fields: "id") { id: ID!  parts: Int @external  total: Int @requires(fields: "parts") }
        type Query { ours: Kit }`,
    },
    taxes: {
      answer,
      sdl: `type Kit @key(fields: "id") { id: ID!  parts: Int  total: Int @external  tax: Int @requires(fields: "total") }
        type Query { taxed: Kit }`,
    },
  });
  const operations = createOperations({
    ...{ graph: asked.graph, sources: asked.sources, introspection: true },
    planner: new QueryPlanner(asked.graph.supergraph),
  });
  expect(operations.find({ query: '{ ours { tax } }' })).toMatchObject([{ message }]);
  expect(operations.find({ query: '{ taxed { tax } ours { parts total } }' })).toHaveProperty('execute');
});
