import { expect, test } from 'vitest';
import { engineOn } from '../testing/engine.js';

let asked = 0;
const ask = engineOn({
  goods: {
    sdl: 'type Product @key(fields: "id") { id: ID!  name: String } type Query { products: [Product] }',
    answer: () => ({ data: { products: [{ __typename: 'Product', id: '1', name: 'Tea' }] } }),
  },
  prices: {
    sdl: 'type Product @key(fields: "id") { id: ID!  price: Int  vat: Int }',
    answer: () => {
      asked++;
      return { data: { _entities: [{ price: 5, vat: 1 }] } };
    },
  },
});

test.each([
  ['{ price @include(if: false) vat @skip(if: true) }', 0, {}],
  ['{ price @include(if: $no) vat @skip(if: $yes) }', 0, {}],
  ['{ ... @skip(if: $yes) { price } ... on Product @include(if: $no) { vat } }', 0, {}],
  ['{ price @include(if: $yes) @skip(if: $yes) vat @skip(if: $yes) }', 0, {}],
  ['{ __typename price @include(if: $no) vat @include(if: $no) }', 0, { __typename: 'Product' }],
  ['{ price @include(if: $yes) vat @skip(if: $yes) }', 1, { price: 5 }],
  ['{ price @include(if: $no) vat }', 1, { vat: 1 }],
  ['{ price @skip(if: $no) @include(if: $yes) vat @skip(if: $yes) }', 1, { price: 5 }],
])('nobody is asked for an entity of which all is left out: %s', async (selection, times, product) => {
  asked = 0;
  const query = `query ($yes: Boolean = true, $no: Boolean = false) { products ${selection} now: __typename @skip(if: $yes) ok: __typename @include(if: $no) }`;
  expect(await ask(query)).toEqual({ status: 200, data: { products: [product] } });
  expect(asked).toBe(times);
});

let types = 0;
const review = engineOn({
  goods: {
    sdl: 'interface Product @key(fields: "id") { id: ID! } type Tea implements Product @key(fields: "id") { id: ID! }',
    answer() {
      types++;
      return { data: { _entities: [{ __typename: 'Tea', id: '1' }] } };
    },
  },
  reviews: {
    sdl: 'type Product @key(fields: "id") @interfaceObject { id: ID!  stars: Int } type Query { best: Product }',
    answer: () => ({ data: { best: { __typename: 'Product', id: '1', stars: 5 } } }),
  },
});

test.each([
  ['{ stars @skip(if: true) }', 0, {}],
  ['{ ... on Tea @include(if: false) { id } }', 0, {}],
  ['{ ...T @skip(if: true) }', 0, {}],
  ['{ __typename stars @skip(if: true) }', 1, { __typename: 'Tea' }],
])('nobody is asked for the type of what nothing is wanted of: %s', async (selection, times, best) => {
  types = 0;
  expect(
    await review(
      `{ best ${selection} ...Q @skip(if: true) } fragment Q on Query { best { ...T } } fragment T on Product { id }`,
    ),
  ).toEqual({ status: 200, data: { best } });
  expect(types).toBe(times);
});
