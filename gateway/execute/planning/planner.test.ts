import { expect, test } from 'vitest';
import { engineOn, resolving } from '../../testing/engine.js';

const silent = () => ({ data: {} });
const fields = 'id: ID!  name: String';
const ask = engineOn({
  goods: {
    sdl: `interface Product @key(fields: "id") { ${fields} }
      type Tea implements Product @key(fields: "id") { ${fields} }
      type Cup implements Product @key(fields: "id") { ${fields} }
      type Cake implements Product @key(fields: "id") { ${fields} }
      type Query { products: [Product] }`,
    answer: silent,
  },
  reviews: {
    sdl: `type Product @key(fields: "id") @interfaceObject { id: ID!  stars: Int  alike: [Product] }
      type Query { reviewed: Product }`,
    answer: silent,
  },
  stock: { sdl: 'type Product @key(fields: "id") @interfaceObject { id: ID!  left: Int }', answer: silent },
  scales: { sdl: 'type Product @key(fields: "id") @interfaceObject { id: ID!  grams: Int }', answer: silent },
});

const nested = (levels: number): string =>
  `{ reviewed { ${'alike { '.repeat(levels)} left ${'} '.repeat(levels)} } }`;

test('what can be reached in very many ways is refused before they fill the memory', async () => {
  expect(await ask(nested(1))).toMatchObject({ data: { reviewed: null } });
  expect(await ask(nested(4))).toMatchObject({
    status: 400,
    errors: [{ extensions: { code: 'QUERY_TOO_COMPLEX' } }],
  });
});

test('ways that multiply by the types of an interface are refused before they fill the memory', async () => {
  const types = ['Tea', 'Cup', 'Pot', 'Pan', 'Jar', 'Tin'];
  const product = 'type Product @key(fields: "id") @interfaceObject { id: ID!';
  const grams = 'id: ID!  grams: Int';
  const ask = engineOn({
    goods: {
      sdl: `interface Product @key(fields: "id") { ${grams} }
        ${types.map((type) => `type ${type} implements Product @key(fields: "id") { ${grams} }`).join('\n')}
        type Query { products: [Product] }`,
      answer: silent,
    },
    stock: {
      sdl: `${product}  grams: Int @external  next: Product  postage: Int @requires(fields: "grams") }
        type Query { stocked: Product }`,
      answer: () => ({ data: { stocked: null } }),
    },
    reviews: { sdl: `${product}  alike: Product }`, answer: silent },
  });
  expect(await ask('{ stocked { next { alike { postage } } } }')).toMatchObject({
    errors: [{ extensions: { code: 'QUERY_TOO_COMPLEX' } }],
  });
  expect(await ask('{ stocked { next { alike { grams } } } }')).toEqual({
    ...{ status: 200, data: { stocked: null } },
  });
  expect(new Array(1_000_000)).toHaveLength(1_000_000);
});

const tea = { __typename: 'Tea', id: '1', name: 'Oolong' };
const askStock = engineOn({
  goods: resolving(
    `interface Product @key(fields: "id") { ${fields} }
     type Tea implements Product @key(fields: "id") { ${fields} }
     type Cup implements Product @key(fields: "id") { ${fields} }
     type Query { products: [Product] }`,
    { Product: { __resolveReference: () => tea, __resolveType: () => 'Tea' } },
  ),
  reviews: resolving('type Product @key(fields: "id") @interfaceObject { id: ID!  stars: Int }', {
    Product: { stars: () => 5 },
  }),
  stock: resolving(
    `type Product @key(fields: "id") @interfaceObject {
       id: ID!  stars: Int @external  parcel: Parcel @requires(fields: "stars")
     }
     type Parcel { label: String  of: Product }
     type Query { stocked: Product }`,
    {
      Query: { stocked: () => ({ id: '1' }) },
      Product: { parcel: ({ stars }: { stars: number }) => ({ label: `${stars} stars`, of: { id: '1' } }) },
    },
  ),
});

test.each([
  [
    'of one subgraph and another',
    'label of { name stars }',
    { label: '5 stars', of: { name: 'Oolong', stars: 5 } },
  ],
  [
    'of a type',
    'of { __typename name } label',
    { of: { __typename: 'Tea', name: 'Oolong' }, label: '5 stars' },
  ],
])(
  'where one of the ways to fetch an operation has fetches that wait for each other, another is taken: %s',
  async (_what, selection, parcel) => {
    expect(await askStock(`{ stocked { parcel { ${selection} } } }`)).toEqual({
      status: 200,
      data: { stocked: { parcel } },
    });
  },
);
