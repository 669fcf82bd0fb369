import type { GraphQLFormattedError } from 'graphql';
import { expect, test } from 'vitest';
import { engineOn } from '../testing/engine.js';
import type { Entity } from './entity.js';
import type { SubgraphAnswer } from './subgraph-answer.js';
import { unavailable } from './subgraph-errors.js';

const goods = `type Product @key(fields: "id") { id: ID!  name: String!  tags: [String!]  twin: Thing }
  interface Thing { id: ID! }
  type Box implements Thing { id: ID! }
  type Query { product: Product  products: [Product!]  count: Int  strict: Int! }`;
const prices = `type Product @key(fields: "id") { id: ID!  price: Int!  discount: Int }
  type Query { prices: Int }`;

type Says = SubgraphAnswer | (() => never);
function asking(goodsSay: Says, pricesSay: Says = { data: {} }) {
  const answer = (says: Says) => () => (typeof says === 'function' ? says() : says);
  return engineOn({
    goods: { sdl: goods, answer: answer(goodsSay) },
    prices: { sdl: prices, answer: answer(pricesSay) },
  });
}
const product = (id: string, more: Entity = {}) => ({ __typename: 'Product', id, name: `n${id}`, ...more });
const broken = (service: string | undefined, ...path: (string | number)[]) => ({
  message: expect.stringMatching(
    new RegExp(
      `^${service ? `The ${service}` : 'A'} service answered with something else than its schema says`,
    ),
  ),
  path,
  extensions: { code: 'SERVICE_UNAVAILABLE', errorId: expect.any(String), ...(service && { service }) },
});
const no = (...path: (string | number)[]): GraphQLFormattedError => ({
  message: 'No.',
  path,
  extensions: { code: 'CONFLICT' },
});

test.each<[string, string, SubgraphAnswer, object | null, object[]]>([
  ['a root field', '{ count }', { data: {} }, { count: null }, [broken('goods', 'count')]],
  ['a root field that may not be null', '{ strict }', { data: {} }, null, [broken('goods', 'strict')]],
  [
    'a field that may not be null',
    '{ product { called: name } count }',
    { data: { product: { __typename: 'Product' }, count: 1 } },
    { product: null, count: 1 },
    [broken('goods', 'product', 'called')],
  ],
  [
    'an element of a list after another',
    '{ products { id name } }',
    { data: { products: [product('1'), null, product('2', { name: null })] } },
    { products: null },
    [broken('goods', 'products', 1), broken('goods', 'products', 2, 'name')],
  ],
  [
    'an element of a list of a list',
    '{ products { tags } }',
    { data: { products: [product('1', { tags: ['a', null] })] } },
    { products: [{ tags: null }] },
    [broken('goods', 'products', 0, 'tags', 1)],
  ],
  [
    'the name of a type',
    '{ product { twin { __typename id } } }',
    { data: { product: product('1', { twin: { id: '2' } }) } },
    { product: { twin: null } },
    [broken('goods', 'product', 'twin', '__typename')],
  ],
])(
  '%s that is missing for no reason is an error that names the service',
  async (_, query, says, data, errors) => {
    expect(await asking(says)(query)).toEqual({ status: 200, data, errors });
  },
);

const priced = '{ products { id price } }';
const two = { data: { products: [product('1'), product('2')] } };

test('so is one of an entity, whose service is the one that was asked for it', async () => {
  const ask = asking(two, { data: { _entities: [{ price: 1 }, { __typename: 'Product' }] } });
  expect(await ask(priced)).toMatchObject({
    data: { products: null },
    errors: [broken('prices', 'products', 1, 'price')],
  });
});

test('nobody is blamed for a field of an entity that could not be asked for', async () => {
  const ask = asking({ data: { product: { id: '1' } } });
  expect(await ask('{ product { id price } }')).toMatchObject({
    data: { product: null },
    errors: [broken(undefined, 'product', 'price')],
  });
});

test.each<[string, string, Says, Says | undefined, object | null, GraphQLFormattedError[] | undefined]>([
  [
    'an entity that is not known',
    '{ product { id price } }',
    { data: { product: product('1') } },
    { data: { _entities: [null] } },
    { product: null },
    undefined,
  ],
  [
    'a field that may be null, below the root',
    '{ product { tags } }',
    { data: { product: product('1') } },
    undefined,
    { product: { tags: null } },
    undefined,
  ],
  [
    'what an error tells of',
    '{ product { id name } }',
    { data: { product: product('1', { name: null }) }, errors: [no('product', 'name')] },
    undefined,
    { product: null },
    [no('product', 'name')],
  ],
  [
    'what an error below tells of',
    '{ strict products { id } }',
    { data: { strict: 1, products: [null] }, errors: [no('products', 0, 'id')] },
    undefined,
    { strict: 1, products: null },
    [no('products', 0, 'id')],
  ],
  [
    'what an error of an entity tells of',
    priced,
    two,
    { data: { _entities: [{ price: 1 }, null] }, errors: [no('_entities', 1)] },
    { products: null },
    [no('products', 1)],
  ],
  [
    'what an error of one field took with it',
    '{ count strict }',
    { data: null, errors: [no('strict')] },
    undefined,
    null,
    [no('strict')],
  ],
  [
    'what a service that is away would have told',
    priced,
    two,
    () => {
      throw unavailable('prices');
    },
    { products: null },
    [unavailable('prices').toJSON()],
  ],
])('no more is told of %s', async (_, query, goodsSay, pricesSay, data, errors) => {
  expect(await asking(goodsSay, pricesSay)(query)).toEqual({ status: 200, data, ...(errors && { errors }) });
});
