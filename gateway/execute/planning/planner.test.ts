import { expect, test } from 'vitest';
import { engineOn } from '../../testing/engine.js';

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
