import { composeServices } from '@apollo/composition';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gateway } from '../index.js';
import { post, startTestGateway } from '../testing/gateway.js';
import { startSubgraph, subgraphSdl, type TestSubgraph } from '../testing/subgraph.js';

const sdl = `interface Counter { count: Int  strict: Int! }
  type Query implements Counter { count: Int  strict: Int!  self: Query  all: [Query]  counter: Counter }
  type Mutation { count: Done }
  type Done { ok: Boolean  query: Query }`;
const { supergraphSdl = '' } = composeServices([
  { name: 'one', url: 'http://127.0.0.1:1', typeDefs: subgraphSdl(sdl) },
]);

let one: TestSubgraph;
let gateway: Gateway;
beforeAll(async () => {
  const query = { __typename: 'Query' };
  const resolvers = {
    Query: {
      count: () => 1,
      strict: () => 2,
      self: () => query,
      all: () => [query, query],
      counter: () => query,
    },
    Mutation: { count: () => ({ ok: true, query }) },
  };
  one = await startSubgraph({ name: 'one', sdl, resolvers });
  gateway = await startTestGateway({
    supergraph: supergraphSdl,
    subgraphUrls: { one: one.url },
    executor: 'doorstep',
  });
});
afterAll(() => Promise.all([gateway.stop(), one.stop()]));

const schema = { queryType: { name: 'Query' } };
const asked = '__schema { queryType { name } }';

test.each([
  [
    'beside a fragment on an interface of Query',
    `{ ...F ${asked} } fragment F on Counter { count strict }`,
    { count: 1, strict: 2, __schema: schema },
  ],
  [
    'inside one on Query, under an alias',
    `{ count ...F } fragment F on Query { self { count } s: ${asked} }`,
    { count: 1, self: { count: 1 }, s: schema },
  ],
  ['of a Query below the root', `{ self { ${asked} count } }`, { self: { __schema: schema, count: 1 } }],
  [
    'of the schema that clients see, not that of a subgraph',
    '{ self { __type(name: "_Service") { kind } } }',
    { self: { __type: null } },
  ],
  [
    'of Queries in a list, from several places of the document',
    `{ all { ${asked} } all { ... on Query { __schema { mutationType { name } } } } }`,
    { all: Array(2).fill({ __schema: { ...schema, mutationType: { name: 'Mutation' } } }) },
  ],
  [
    'of what an interface says to be a Query',
    `{ counter { ... on Query { ${asked} } } }`,
    { counter: { __schema: schema } },
  ],
])('introspection is answered %s', async (_where, query, data) => {
  expect((await post(gateway, query)).body).toEqual({ data });
});

test('introspection is answered of the Query of a mutation, by its variables', async () => {
  const query = `mutation ($name: String!, $not: Boolean!) {
    count { ok query { count __type(name: $name) { kind ...T @skip(if: $not) } } }
  }
  fragment T on __Type { name }`;
  const { body } = await post(gateway, query, { variables: { name: 'Done', not: true } });
  expect(body).toEqual({ data: { count: { ok: true, query: { count: 1, __type: { kind: 'OBJECT' } } } } });
});
