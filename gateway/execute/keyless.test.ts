import { expect, test } from 'vitest';
import { engineOn } from '../testing/engine.js';

const asked: unknown[] = [];
const ask = engineOn({
  zoo: {
    sdl: `interface Animal @key(fields: "id") { id: ID!  kg: Int }
      type Cat implements Animal @key(fields: "id") { id: ID!  kg: Int }
      type Dog implements Animal @key(fields: "id") { id: ID!  kg: Int }
      type Query { animals: [Animal] }`,
    // As a subgraph does that is asked for the key of cats alone.
    answer: () => ({
      data: {
        animals: [
          { __typename: 'Cat', id: '1', kg: 4 },
          { __typename: 'Dog', kg: 9 },
        ],
      },
    }),
  },
  food: {
    sdl: `type Animal @key(fields: "id") @interfaceObject {
        id: ID!  kg: Int @external  food: Int @requires(fields: "kg")
      } type Query { x: Int }`,
    answer({ variables }) {
      asked.push(variables?.['representations']);
      return { data: { _entities: [{ __typename: 'Animal', food: 40 }] } };
    },
  },
});

test('nobody is asked about an object of which there is what a field requires, and no key', async () => {
  expect(await ask('{ animals { kg ... on Cat { food } } }')).toEqual({
    status: 200,
    data: { animals: [{ kg: 4, food: 40 }, { kg: 9 }] },
  });
  expect(asked).toEqual([[{ __typename: 'Animal', id: '1', kg: 4 }]]);
});
