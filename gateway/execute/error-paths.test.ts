import type { GraphQLFormattedError } from 'graphql';
import { expect, test } from 'vitest';
import { engineOn } from '../testing/engine.js';

const no = (...path: (string | number)[]): GraphQLFormattedError => ({
  message: 'No.',
  path,
  extensions: { code: 'CONFLICT' },
});

test('an error of a Query below a list is told of each', async () => {
  const query = { __typename: 'Query', one: 1 };
  const ask = engineOn({
    first: {
      sdl: 'type Item { n: Int  query: Query }  type Query { items: [Item]  one: Int }',
      answer: () => ({ data: { items: [{ n: 1, query }, null, { n: 2, query: { ...query } }] } }),
    },
    second: {
      sdl: 'type Query { two: Int }',
      answer: () => ({ data: { two: null }, errors: [no('two')] }),
    },
  });
  expect(await ask('{ items { n query { one two } } }')).toMatchObject({
    data: { items: [{ query: { one: 1, two: null } }, null, { query: { one: 1, two: null } }] },
    errors: [no('items', 0, 'query', 'two'), no('items', 2, 'query', 'two')],
  });
});

/** Where one type has a field that may not be null, and another one that may, a fetch calls one of them otherwise. */
const union = `union U = A | B
  type A @shareable { x: String!  inner: Inner! }
  type B { x: String  inner: Inner }
  type Inner @shareable { n: Int }`;
/** To whom the fields of A may be null: so they may to clients, who need not tell them apart. */
const lax = {
  sdl: `type A @shareable { x: String  inner: Inner }
    type Inner @shareable { n: Int }
    type Query { lax: A }`,
  answer: () => ({ data: null }),
};
const selection = '{ ... on A { x inner { n } } ... on B { x inner { n } } }';

function ofFetch({ query }: { query: string }) {
  const [, inB = ''] = query.split('on B{');
  const aliasOf = (field: string) => new RegExp(`(\\w+):${field}\\b`).exec(inB)?.[1] ?? '';
  return { x: aliasOf('x'), inner: aliasOf('inner') };
}

test('an error of a field that a plan has under a name of its own is told of the field', async () => {
  const ask = engineOn({
    one: {
      sdl: `${union} type Query { us: [U] }`,
      answer: (body) => {
        const { x, inner } = ofFetch(body);
        const us = [
          { __typename: 'A', x: 'Kim', inner: { n: 1 } },
          { __typename: 'B', [x]: null, [inner]: { n: null } },
        ];
        return { data: { us }, errors: [no('us', 1, x), no('us', 1, inner, 'n')] };
      },
    },
    lax,
  });
  expect(await ask(`{ us ${selection} }`)).toMatchObject({
    data: { us: [{ x: 'Kim' }, { x: null, inner: { n: null } }] },
    errors: [no('us', 1, 'x'), no('us', 1, 'inner', 'n')],
  });
});

test('the same below an entity', async () => {
  const ask = engineOn({
    holders: {
      sdl: 'type Holder @key(fields: "id") { id: ID! } type Query { holder: Holder }',
      answer: () => ({ data: { holder: { __typename: 'Holder', id: '1' } } }),
    },
    one: {
      sdl: `${union} type Holder @key(fields: "id") { id: ID!  us: [U] }`,
      answer: (body) => {
        const { x, inner } = ofFetch(body);
        const us = [{ __typename: 'B', [x]: null, [inner]: { n: null } }];
        return {
          data: { _entities: [{ __typename: 'Holder', us }] },
          errors: [no('_entities', 0, 'us', 0, x), no('_entities', 0, 'us', 0, inner, 'n')],
        };
      },
    },
    lax,
  });
  const { errors } = await ask(`{ holder { us ${selection} } }`);
  expect(errors).toEqual([no('holder', 'us', 0, 'x'), no('holder', 'us', 0, 'inner', 'n')]);
});

test('who answered a wrong value below such a name is known', async () => {
  const ask = engineOn({
    one: {
      sdl: `${union} type Query { us: [U] }`,
      answer: (body) => ({ data: { us: [{ __typename: 'B', [ofFetch(body).inner]: { m: 'x' } }] } }),
    },
    lax,
  });
  const { errors } = await ask('{ us { ... on A { inner { n } } ... on B { inner { m: n } } } }');
  expect(errors).toMatchObject([{ path: ['us', 0, 'inner', 'm'], extensions: { service: 'one' } }]);
});
