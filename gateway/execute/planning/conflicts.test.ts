import { composeServices } from '@apollo/composition';
import { QueryPlanner } from '@apollo/query-planner';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type LoadedSupergraph, loadSupergraph } from '../../supergraph.js';
import { bazaarSupergraph } from '../../testing/bazaar/supergraph.js';
import { post, startTestGateway } from '../../testing/gateway.js';
import { subgraphSdl } from '../../testing/subgraph.js';
import { createOperations } from '../operations.js';

const goods = `enum Unit { KILO POUND }
  type Product @key(fields: "id") {
    id: ID!
    weight(unit: Unit): Int
    size(in: [Frame!] = [{ unit: KILO }]): Int
    related: Product
  }
  input Frame { unit: Unit = POUND  depth: Int = 1 }
  type Order @key(fields: "id") { id: ID!  product: Product }
  type Query { order: Order }`;
const prices = `enum Unit { KILO POUND }
  input Frame { unit: Unit = POUND  depth: Int = 1 }
  type Product @key(fields: "id") {
    id: ID!
    weight(unit: Unit): Int @external
    size(in: [Frame!] = [{ unit: KILO }]): Int @external
    related: Product @external
    box: Int @requires(fields: "size")
    crate: Int @requires(fields: "size(in: { unit: KILO })")
    barrel: Int @requires(fields: "size(in: [{ depth: 1 }])")
    shipping: Int @requires(fields: "weight(unit: POUND)")
    customs: Int @requires(fields: "weight(unit: KILO)")
    rebate(code: Int): Int
    bundle: Int @requires(fields: "related { weight(unit: KILO) }")
  }
  type Order @key(fields: "id") {
    id: ID!
    product: Product @external
    cost: Int @requires(fields: "product { weight(unit: KILO) }")
  }
  type Query { prices: Int }`;

/** It needs a field of prices that needs one of goods itself. */
const taxes = `type Product @key(fields: "id") {
    id: ID!
    shipping: Int @external
    tax: Int @requires(fields: "shipping")
  }
  type Query { taxes: Int }`;

const subgraphs = { goods, prices, taxes };
const services = Object.entries(subgraphs).map(([name, sdl]) => ({
  name,
  url: 'http://127.0.0.1:1/graphql',
  typeDefs: subgraphSdl(sdl),
}));
const { supergraphSdl = '' } = composeServices(services);

const operationsOf = (graph: LoadedSupergraph) =>
  createOperations({
    graph,
    planner: new QueryPlanner(graph.supergraph),
    sources: new Map(graph.subgraphs.map(({ name }) => [name, { fetch: async () => ({ data: null }) }])),
    introspection: true,
  });
const operations = operationsOf(loadSupergraph(supergraphSdl));
const operationsOfBazaar = operationsOf(loadSupergraph(bazaarSupergraph()));

const refusalOf = (query: string, { find } = operations) => {
  const operation = find({ query });
  return 'execute' in operation ? undefined : operation[0];
};
const conflictOf = (query: string): string | undefined => refusalOf(query)?.message;

const refused = (a: string, b: string) =>
  `${a} and ${b} need Product.weight with different arguments: ask for them in two operations.`;

describe('two fields that need a third with different arguments', () => {
  test.each([
    ['of one object', '{ order { product { shipping customs } } }', 'Product.shipping', 'Product.customs'],
    [
      'of an object and one below',
      '{ order { cost product { shipping } } }',
      'Order.cost',
      'Product.shipping',
    ],
    ['in any order', '{ order { product { shipping } cost } }', 'Order.cost', 'Product.shipping'],
    [
      'of two objects of one type',
      '{ order { product { bundle related { shipping } } } }',
      'Product.bundle',
      'Product.shipping',
    ],
    [
      'of which one is needed by a field that is asked for',
      '{ order { product { tax customs } } }',
      'Product.customs',
      'Product.shipping',
    ],
    [
      'of which one is needed by a field of an object above',
      '{ order { cost product { tax } } }',
      'Order.cost',
      'Product.shipping',
    ],
  ])('are refused: %s', (_where, query, a, b) => {
    expect(conflictOf(query)).toBe(refused(a, b));
  });

  test.each([
    ['need the same', '{ order { cost product { customs } } }'],
    ['need the same, one by its default', '{ order { product { box crate } } }'],
    ['need it of different places', '{ order { cost p: product { shipping } } }'],
    [
      'are never both there',
      'query ($a: Boolean!) { order { product { shipping @include(if: $a) customs @skip(if: $a) } } }',
    ],
    ['need it of different objects', '{ order { product { shipping related { customs } } } }'],
  ])('are answered where they %s', (_where, query) => {
    expect(conflictOf(query)).toBeUndefined();
  });
});

test('two fields with conditions are refused where both are there, and have plans of their own where one is', () => {
  const operation = operations.find({
    query:
      'query ($a: Boolean!, $b: Boolean!) { order { product { shipping @include(if: $a) customs @include(if: $b) } } }',
  });
  if (!('execute' in operation)) throw new Error('it was refused');
  const [conflict] = operation.variableErrors({ a: true, b: true });
  expect(conflict?.message).toBe(refused('Product.shipping', 'Product.customs'));
  const [shipping, customs] = [
    { a: true, b: false },
    { a: false, b: true },
  ].map((variables) => {
    expect(operation.variableErrors(variables)).toEqual([]);
    return JSON.stringify(operation.planFor(variables));
  });
  expect(shipping).not.toContain('customs');
  expect(customs).not.toContain('shipping');
});

test('what differs from a default is refused beside it', () => {
  const needs = 'need Product.size with different arguments';
  expect(conflictOf('{ order { product { box barrel } } }')).toContain(
    `Product.box and Product.barrel ${needs}`,
  );
  expect(conflictOf('{ order { product { crate barrel } } }')).toContain(needs);
});

describe('fields on many ways through types', () => {
  /** A way for each level, which leads through books alone there: their types have as many sets of them as there are. */
  const ways = (levels: number, leaf: string) => {
    const way = (narrow: number): string =>
      Array.from({ length: levels }).reduceRight<string>(
        (inner, _, at) => (at === narrow ? `... on Book { related { ${inner} } }` : `related { ${inner} }`),
        leaf,
      );
    return `{ products(ids: []) { ${Array.from({ length: levels }, (_, at) => way(at)).join(' ')} } }`;
  };

  test('cost nothing where none needs another', () => {
    expect(refusalOf(ways(20, 'id'), operationsOfBazaar)).toBeUndefined();
  });

  test('that need another are compared, up to a limit', () => {
    const leaf = '... on Book { postage }';
    expect(refusalOf(ways(6, leaf), operationsOfBazaar)).toBeUndefined();
    expect(refusalOf(ways(20, leaf), operationsOfBazaar)).toMatchObject({
      message: expect.stringContaining('too many fragments'),
      extensions: { code: 'QUERY_TOO_COMPLEX' },
    });
  });
});

test('a variable that has the name of one of our own is refused, before anything is fetched', async () => {
  const gateway = await startTestGateway({ supergraph: supergraphSdl, executor: 'doorstep' });
  onTestFinished(() => gateway.stop());
  const { status, body } = await post(
    gateway,
    'query ($representations: Int) { order { product { rebate(code: $representations) } } }',
    { variables: { representations: 1 } },
  );
  expect(status).toBe(400);
  expect(body.errors).toMatchObject([
    {
      message: expect.stringContaining('$representations'),
      extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
    },
  ]);
});
