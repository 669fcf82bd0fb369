import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { operationOf } from '../../execute/selections.js';
import { loadSupergraph } from '../../supergraph.js';
import { subgraphSdl } from '../../testing/subgraph.js';
import { compileCost } from './estimate.js';

const sdl = /* GraphQL */ `
  type Page { nodes: [Node!]  edges: [Edge!]  totalCount: Int @cost(weight: 5) }
  type Edge { node: Node }
  type Node { id: ID!  name: String  inner: Node  tags: [String!]  few: [Node!] @listSize(assumedSize: 2)  dear: Dear }
  type Dear @cost(weight: 7) { id: ID! }
  input Filter { text: String @cost(weight: 3)  all: [Filter!]  id: ID }
  union Any = Node | Dear
  type Query {
    node(id: ID): Node
    list: [Node]
    any: Any
    search(filter: Filter, deep: Boolean @cost(weight: 4)): Node
    page(first: Int = 20, last: Int): Page
      @listSize(assumedSize: 20, slicingArguments: ["first", "last"], sizedFields: ["nodes", "edges"], requireOneSlicingArgument: false)
    top(n: Int): [Node] @listSize(assumedSize: 50, slicingArguments: ["n"], requireOneSlicingArgument: false)
  }
  type Mutation { change: Node }
`;
const { supergraphSdl = '', errors } = composeServices([
  { name: 'a', url: 'http://127.0.0.1:1/graphql', typeDefs: subgraphSdl(sdl) },
]);
expect(errors).toBeUndefined();
const { clientSchema, costs } = loadSupergraph(supergraphSdl);
const costOf = (query: string, variables: Record<string, unknown> = {}) =>
  compileCost(operationOf(parse(query), undefined), clientSchema, costs)(variables);

test.each([
  ['an object is 1, a leaf nothing', '{ node { id name } }', {}, 1],
  ['objects inside', '{ node { inner { inner { id } } } }', {}, 3],
  ['a list of unknown length is ten', '{ list { id tags } }', {}, 10],
  ['lists in lists', '{ list { few { inner { id } } } }', {}, 10 * (1 + 2 * 2)],
  ['a type of its own weight', '{ node { dear { id } } }', {}, 8],
  ['a default of the schema', '{ page { nodes { id } } }', {}, 21],
  ['what is asked for', '{ page(first: 3) { nodes { id } edges { node { id } } } }', {}, 1 + 3 + 6],
  ['the larger of two', '{ page(first: 3, last: 5) { nodes { id } } }', {}, 6],
  ['a variable', 'query ($n: Int) { page(first: $n) { nodes { id } } }', { n: 7 }, 8],
  ['its default', 'query ($n: Int = 4) { page(first: $n) { nodes { id } } }', {}, 5],
  ['a variable that is not given', 'query ($n: Int) { page(first: $n) { nodes { id } } }', {}, 21],
  ['null', 'query ($n: Int) { top(n: $n) { id } }', { n: null }, 50],
  ['less than nothing is nothing', '{ top(n: -5) { id } }', {}, 0],
  ['a leaf of its own weight', '{ page(first: 1) { totalCount } }', {}, 6],
  ['an argument', '{ search(deep: true) { id } }', {}, 5],
  [
    'inputs, at any depth',
    '{ search(filter: { text: "a", all: [{ text: "b" }, { id: 1 }] }) { id } }',
    {},
    1 + 6,
  ],
  [
    'inputs of variables',
    'query ($f: Filter) { search(filter: $f) { id } }',
    { f: { text: 'a', all: { text: 'b' } } },
    7,
  ],
  [
    'inputs with variables inside',
    'query ($t: String) { search(filter: { text: $t }) { id } }',
    { t: 'a' },
    4,
  ],
  ['fragments, and unions', '{ any { ... on Node { inner { id } } ...d } } fragment d on Dear { id }', {}, 2],
  ['sized fields in fragments', '{ page(first: 2) { ...p } } fragment p on Page { nodes { id } }', {}, 3],
  ['a mutation', 'mutation { change { id } }', {}, 11],
  ['the same field again', '{ a: node { id } b: node { id } }', {}, 2],
  ['introspection', '{ __schema { types { fields { name } } } __typename }', {}, 0],
])('%s', (_what, query, variables, cost) => {
  expect(costOf(query, variables)).toBe(cost);
});
