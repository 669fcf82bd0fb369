import { expect, test } from 'vitest';
import { engineOn } from '../testing/engine.js';

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
