import { QueryPlanner } from '@apollo/query-planner';
import { parse, print } from 'graphql';
import { expect, test } from 'vitest';
import { composed, engineOn, resolving } from '../../testing/engine.js';
import { withConditionsOnFields } from './conditions.js';
import { withMembersApart } from './members.js';
import { planOf } from './planner.js';

const product = { __typename: 'Tea', id: '1', name: 'Oolong', leaf: 'black' };
const ask = engineOn({
  goods: {
    sdl: `interface Node { id: ID! }
      interface Product @key(fields: "id") { id: ID!  name: String }
      type Tea implements Product & Node @key(fields: "id") { id: ID!  name: String  leaf: String }
      type Cup implements Product @key(fields: "id") { id: ID!  name: String }
      union Drink = Tea
      type Query { node: Node  drink: Drink }`,
    answer: () => ({ data: { _entities: [product] } }),
  },
  reviews: {
    sdl: `type Product @key(fields: "id") @interfaceObject { id: ID!  stars: Int }
      type Query { reviewed: Product }`,
    answer: () => ({ data: { reviewed: { __typename: 'Product', id: '1', stars: 5 } } }),
  },
});

test.each([
  ['in place', '{ reviewed { stars ... on Node { id } } }', { stars: 5, id: '1' }],
  [
    'by name',
    '{ reviewed { ...N name } } fragment N on Node { id ... on Tea { leaf } }',
    { id: '1', leaf: 'black', name: 'Oolong' },
  ],
  ['on a condition', '{ reviewed { stars ... on Node @skip(if: true) { id } } }', { stars: 5 }],
  ['of a union', '{ reviewed { ... on Drink { ... on Tea { leaf } } stars } }', { leaf: 'black', stars: 5 }],
  ['within another', '{ reviewed { ... on Node { ... on Product { name } } } }', { name: 'Oolong' }],
])(
  'a fragment on another interface within one that is an object elsewhere is planned: %s',
  async (_how, query, reviewed) => {
    expect(await ask(query)).toEqual({ status: 200, data: { reviewed } });
  },
);

const goods = {
  1: { __typename: 'Tea', id: '1', grams: 100 },
  2: { __typename: 'Cup', id: '2', grams: 200 },
};
const askShop = engineOn({
  goods: resolving(
    `interface Node { id: ID! }
     interface Product @key(fields: "id") { id: ID!  grams: Int  goesWith: [Product] }
     type Tea implements Product & Node @key(fields: "id") { id: ID!  grams: Int  goesWith: [Product] }
     type Cup implements Product & Node @key(fields: "id") { id: ID!  grams: Int  goesWith: [Product] }
     type Query { products: [Product] }`,
    {
      Query: { products: () => Object.values(goods) },
      Product: {
        __resolveReference: ({ id }: { id: keyof typeof goods }) => goods[id],
        __resolveType: ({ __typename }: { __typename: string }) => __typename,
      },
    },
  ),
  reviews: resolving(
    `type Product @key(fields: "id") @interfaceObject { id: ID!  stars: Int }
     type Query { reviewed: [Product] }`,
    {
      Query: { reviewed: () => [{ id: '1' }, { id: '2' }] },
      Product: { stars: ({ id }: { id: string }) => Number(id) + 2 },
    },
  ),
  stock: resolving(
    `type Product @key(fields: "id") @interfaceObject {
       id: ID!  grams: Int @external  postage: Int @requires(fields: "grams")  left: Int
       stars: Int @external  medals: Int @requires(fields: "stars")
       parcel: Parcel @requires(fields: "grams")
     }
     type Parcel { grams: Int }`,
    {
      Product: {
        __resolveReference: (product: object) => product,
        postage: ({ grams }: { grams: number }) => grams * 2,
        left: () => 7,
        medals: ({ stars }: { stars: number }) => stars * 10,
        parcel: (product: object) => product,
      },
    },
  ),
});

test.each([
  ['of one type', '{ reviewed { ... on Tea { postage } } }', [{ postage: 200 }, {}]],
  ['whose types nothing else is needed for', '{ reviewed { ... on Tea { medals } } }', [{ medals: 30 }, {}]],
  [
    'whose types nothing else is needed for, on a condition',
    'query ($a: Boolean = true) { reviewed { ... on Tea @include(if: $a) { medals } } }',
    [{ medals: 30 }, {}],
  ],
  [
    'beside what is left out',
    'query ($a: Boolean = false) { reviewed { ... on Tea { medals grams @include(if: $a) } } }',
    [{ medals: 30 }, {}],
  ],
  [
    'beside what is left out where they are not',
    `query ($a: Boolean = true) {
       reviewed { ... on Tea { ... @include(if: $a) { medals } ... @skip(if: $a) { grams } } } }`,
    [{ medals: 30 }, {}],
  ],
  [
    'of each type, beside others',
    '{ reviewed { stars ... on Tea { left postage } ... on Cup { grams cups: postage } } }',
    [
      { stars: 3, left: 7, postage: 200 },
      { stars: 4, grams: 200, cups: 400 },
    ],
  ],
  [
    'on two conditions',
    `query ($a: Boolean = false, $b: Boolean = true) {
       reviewed { left ... @skip(if: $a) { ... on Tea { postage @include(if: $b) } } } }`,
    [{ left: 7, postage: 200 }, { left: 7 }],
  ],
  [
    'on two conditions of which one does not hold',
    `query ($a: Boolean = false, $b: Boolean = false) {
       reviewed { left ... @skip(if: $a) { ... on Tea { postage @include(if: $b) } } } }`,
    [{ left: 7 }, { left: 7 }],
  ],
  [
    'an object on a condition of which all is left out',
    `query ($a: Boolean = false, $b: Boolean = true) {
       reviewed { parcel @skip(if: $a) { grams @skip(if: $b) } } }`,
    [{ parcel: {} }, { parcel: {} }],
  ],
  [
    'within fragments on the same',
    '{ reviewed { ... on Node { ... on Node @include(if: true) { ... on Cup { postage } id } } } }',
    [{ id: '1' }, { postage: 400, id: '2' }],
  ],
])(
  'what is made out of others of objects whose type is not known where they come from is planned: %s',
  async (_what, query, reviewed) => {
    expect(await askShop(query)).toEqual({ status: 200, data: { reviewed } });
  },
);

/** A union is of types one by one; what two of them share is written for both. */
const askThings = engineOn({
  goods: {
    sdl: `interface Product @key(fields: "id") { id: ID!  goesWith: [Product] }
      type Tea implements Product @key(fields: "id") { id: ID!  goesWith: [Product] }
      type Cup implements Product @key(fields: "id") { id: ID!  goesWith: [Product] }
      type Box implements Product @key(fields: "id") { id: ID!  goesWith: [Product] }
      union Thing = Tea | Cup
      type Query { products: [Product] }`,
    answer: () => ({ data: {} }),
  },
  reviews: {
    sdl: 'type Product @key(fields: "id") @interfaceObject { id: ID!  stars: Int }',
    answer: () => ({ data: {} }),
  },
});

const levels = 20;
const doubling = `{ products ${'{ ... on Thing { ... on Product { goesWith '.repeat(levels)}{ id } ${'} } }'.repeat(levels)} }`;

test('an operation is planned whatever stands beside it in its document', async () => {
  expect(await askThings(`query Small { products { id } } query Large ${doubling}`, 'Small')).toMatchObject({
    status: 200,
  });
});

test('a fragment for each type, in each other, is refused before it fills the memory', async () => {
  expect(await askThings(doubling)).toMatchObject({
    errors: [{ message: expect.stringContaining('10000'), extensions: { code: 'QUERY_TOO_COMPLEX' } }],
  });
});

/** Two interfaces, each an object to a subgraph of its own, and a type of both. */
const askKitchen = engineOn({
  goods: resolving(
    `interface Product @key(fields: "id") { id: ID!  grams: Int }
     interface Edible @key(fields: "id") { id: ID!  calories: Int }
     type Tea implements Product & Edible @key(fields: "id") { id: ID!  grams: Int  calories: Int }
     type Query { products: [Product] }`,
    { Edible: { __resolveReference: () => ({ __typename: 'Tea', id: '1', grams: 100, calories: 3 }) } },
  ),
  stock: resolving(
    `type Product @key(fields: "id") @interfaceObject {
       id: ID!  grams: Int @external  postage: Int @requires(fields: "grams")
     }`,
    {
      Product: {
        __resolveReference: (product: object) => product,
        postage: ({ grams }: { grams: number }) => grams * 2,
      },
    },
  ),
  food: resolving(
    `type Edible @key(fields: "id") @interfaceObject {
       id: ID!  calories: Int @external  energy: Int @requires(fields: "calories")
     }
     type Query { meals: [Edible] }`,
    {
      Query: { meals: () => [{ id: '1' }] },
      Edible: {
        __resolveReference: (edible: object) => edible,
        energy: ({ calories }: { calories: number }) => calories * 4,
      },
    },
  ),
});

test('what is made for all of one interface is not asked of those of another, of which the objects come', async () => {
  expect(await askKitchen('{ meals { ... on Tea { postage energy } ... on Product { grams } } }')).toEqual({
    status: 200,
    data: { meals: [{ postage: 200, energy: 12, grams: 100 }] },
  });
});

const hint = 'directive @hint on INLINE_FRAGMENT | FRAGMENT_SPREAD';
/** Each of `holders` is a shelf, whose product a subgraph tells that does not know its type. */
const shelves = {
  goods: resolving(
    `${hint}
     interface Product @key(fields: "id") { id: ID!  grams: Int }
     type Tea implements Product @key(fields: "id") { id: ID!  grams: Int }
     type Cup implements Product @key(fields: "id") { id: ID!  grams: Int }
     interface Holder { product: Product }
     type Shelf implements Holder @key(fields: "id") { id: ID!  product: Product @external }
     type Query { products: [Product]  holders: [Holder] }`,
    {
      Query: {
        products: () => [goods[1]],
        holders: () => [{ __typename: 'Shelf', id: '9' }],
      },
      Product: {
        __resolveReference: ({ id }: { id: keyof typeof goods }) => goods[id],
        __resolveType: ({ __typename }: { __typename: string }) => __typename,
      },
      Holder: { __resolveType: () => 'Shelf' },
    },
  ),
  reviews: resolving(
    `${hint}
     type Product @key(fields: "id") @interfaceObject { id: ID!  stars: Int }
     type Shelf @key(fields: "id") { id: ID!  product: Product }`,
    { Shelf: { __resolveReference: (shelf: object) => shelf, product: () => ({ id: '1' }) } },
  ),
  stock: resolving(
    `${hint}
     type Product @key(fields: "id") @interfaceObject {
       id: ID!  grams: Int @external  postage: Int @requires(fields: "grams")
     }`,
    {
      Product: {
        __resolveReference: (product: object) => product,
        postage: ({ grams }: { grams: number }) => grams * 2,
      },
    },
  ),
};
const askShelves = engineOn(shelves);

test('what is made out of others is planned where the field of an interface is told by who does not know types', async () => {
  expect(await askShelves('{ holders { product { ... on Tea { postage } } } }')).toEqual({
    status: 200,
    data: { holders: [{ product: { postage: 200 } }] },
  });
});

test('what else than conditions stands at a fragment stays there: it may not stand at fields', async () => {
  expect(await askShelves('{ products { ... on Product @hint { grams ... @hint { id } } } }')).toEqual({
    status: 200,
    data: { products: [{ grams: 100, id: '1' }] },
  });
});

const { graph } = composed(shelves);
const { clientSchema, needs, supergraph } = graph;

test('conditions within each other are written once for all that they are about', () => {
  const levels = 20;
  const at = (n: number) => `... @include(if: $v${n})`;
  const query = `query (${Array.from({ length: levels }, (_, n) => `$v${n}: Boolean!`)}) {
    products { ${Array.from({ length: levels }, (_, n) => `${at(n)} {`).join(' ')}
      postage also: postage and: postage id grams ${'}'.repeat(levels)} } }`;
  const apart = withMembersApart(parse(query), clientSchema, needs.veils);
  const onFields = print(withConditionsOnFields(apart, clientSchema, needs.veils));
  expect(onFields.match(/@include/g)?.length).toBeLessThan(2 * levels);
});

test('a part of a type on a condition is fetched with the rest', () => {
  const query = parse(`query ($no: Boolean!) { holders { product {
    ... on Tea { __typename ... @skip(if: $no) { grams } } ... on Cup { grams @include(if: $no) } } } }`);
  const plan = planOf(new QueryPlanner(supergraph), graph, query, undefined);
  const services = JSON.stringify(plan).match(/(?<="serviceName":")\w+/g);
  expect(services).toEqual(['goods', 'reviews', 'goods']);
});
