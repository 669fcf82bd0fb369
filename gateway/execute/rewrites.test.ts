import { expect, test } from 'vitest';
import { engineOn } from '../testing/engine.js';
import { deepList } from '../testing/parrots.js';

const ships: Record<string, number> = { A: 7, B: 8 };

/** Two types whose `w` is of different types, so that plans ask for it under two names. */
const goods = (data: string) => ({
  goods: {
    sdl: `interface Thing { id: ID! }
      type A implements Thing @key(fields: "id") { id: ID! w: Int }
      type B implements Thing @key(fields: "id") { id: ID! w: String }
      type Query { things: [Thing] count: Int }`,
    answer: () => JSON.parse(data),
  },
  post: {
    sdl: `type A @key(fields: "id") { id: ID! w: Int @external ship: Int @requires(fields: "w") }
      type B @key(fields: "id") { id: ID! w: String @external ship: Int @requires(fields: "w") }`,
    answer({ variables }: { variables?: Record<string, unknown> }) {
      const asked = variables?.['representations'] as { __typename: string; w: unknown }[];
      return {
        data: { _entities: asked.map(({ __typename, w }) => ({ ship: w === null ? ships[__typename] : 0 })) },
      };
    },
  },
});
const query = '{ count things { ... on A { ship } ... on B { ship } } }';

test('what a field requires may be null, also under the name that a plan gave it', async () => {
  const data = {
    count: 1,
    things: [
      { __typename: 'A', id: '1', w: null },
      { __typename: 'B', id: '2', w__alias_0: null },
    ],
  };
  const { data: answer, errors } = await engineOn(goods(JSON.stringify({ data })))(query);
  expect({ answer, errors }).toEqual({ answer: { count: 1, things: [{ ship: 7 }, { ship: 8 }] } });
});

test('a list of lists without end, where names are given back, costs its own field', async () => {
  const answer = await engineOn(goods(`{"data":{"count":1,"things":${deepList(100_000)}}}`))(query);
  expect(answer).toMatchObject({
    data: { count: 1, things: [null] },
    errors: [{ path: ['things', 0], extensions: { service: 'goods' } }],
  });
});
