import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';
import { expect, test } from 'vitest';
import { idOf } from '../ids.js';
import { checkRepresentations } from './representations.js';

const schema = checkRepresentations(
  buildSubgraphSchema({
    typeDefs: parse(`
      extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
      type Book @key(fields: "id") { id: ID! }
      type Page { number: Int }
      type Query { book: Book }`),
    resolvers: { Book: { __resolveReference: ({ id }: { id: string }) => ({ id }) } },
  }),
);
const ask = (r: unknown) =>
  graphql({
    schema,
    source: 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Book { id } } }',
    variableValues: { r },
  });

test('an entity is loaded', async () => {
  const books = ['1', 2].map((id) => ({ __typename: 'Book', id }));
  expect(await ask(books)).toEqual({ data: { _entities: [{ id: '1' }, { id: '2' }] } });
});

test('the id of one is read without regard to case', async () => {
  const id = idOf(new Date());
  expect(await ask([{ __typename: 'Book', id: id.toUpperCase() }])).toEqual({
    data: { _entities: [{ id }] },
  });
});

test.each([
  ['x'],
  [7],
  [[]],
  [{}],
  [{ __typename: 'Page' }],
  [{ __typename: 'Query' }],
  [{ __typename: 'Book' }],
  [{ __typename: 'Book', id: null }],
  [{ __typename: 'Book', id: ['1'] }],
  [{ __typename: 'Book', id: { toString: 1 } }],
  [{ __typename: 'Book', id: true }],
  [{ __typename: 'Book', id: 1.5 }],
  [{ __typename: '__proto__' }],
])('%o represents none, and the value is wrong', async (representation) => {
  const { data, errors } = await ask([representation]);
  expect(data).toBeUndefined();
  expect(errors?.[0]?.message).toMatch(/is one of Book\.|of Book has id\./);
});

test('nor does one that is written into the document', async () => {
  const source = '{ _entities(representations: [{ __typename: "Page" }]) { __typename } }';
  expect((await graphql({ schema, source })).errors?.[0]?.message).toMatch(/is one of Book/);
});
