import { beforeEach, expect, test } from 'vitest';
import { type Answering, engineOn, resolving } from '../testing/engine.js';

type Row = Record<string, unknown>;

const booksOf = (...ids: string[]) => ids.map((id) => ({ author: { id } }));
const books = resolving(
  `type Book { author: Author } type Author @key(fields: "id") { id: ID! }
  type Query { books: [Book!]  best: [Book!] }`,
  {
    Query: { books: () => booksOf('a1', 'a2', 'a1'), best: () => booksOf('a1', 'a3') },
  },
);
const authors = resolving(`type Author @key(fields: "id") { id: ID!  name: String  born: Int }`, {
  Author: {
    __resolveReference: ({ id }: Row) => ({ id, name: `Author ${id}` }),
    born({ id }: Row) {
      if (id === 'a2') throw new Error('nobody knows');
      return 1900;
    },
  },
});

/** The ids of the authors that were asked for, by fetch. */
const asked: unknown[][] = [];
const counting: Answering = {
  ...authors,
  answer(body) {
    const { representations } = body.variables as { representations: Row[] };
    asked.push(representations.map(({ id }) => id));
    return authors.answer(body);
  },
};
const ask = engineOn({ books, authors: counting });
beforeEach(() => void asked.splice(0));

const named = (id: string) => ({ author: { name: `Author ${id}` } });
const all = [named('a1'), named('a2'), named('a1')];

test('an entity that stands in several places is asked for once', async () => {
  expect((await ask('{ books { author { name } } }')).data).toEqual({ books: all });
  expect(asked).toEqual([['a1', 'a2']]);
});

test('what one fetch of a request has asked for, another one does not ask for again', async () => {
  const { data } = await ask('{ x: books { author { name } } y: books { author { name } } }');
  expect(data).toEqual({ x: all, y: all });
  expect(asked).toEqual([['a1', 'a2']]);
});

test('it asks for those alone that nobody has asked for', async () => {
  const { data } = await ask('{ books { author { name } } best { author { name } } }');
  expect(data).toEqual({ books: all, best: [named('a1'), named('a3')] });
  expect(asked.sort()).toEqual([['a1', 'a2'], ['a3']]);
});

test('it asks for all where it asks for something else of them', async () => {
  const { data } = await ask('{ x: books { author { name } } y: books { author { n: name } } }');
  expect(data).toEqual({ x: all, y: all.map(({ author }) => ({ author: { n: author.name } })) });
  expect(asked).toEqual([
    ['a1', 'a2'],
    ['a1', 'a2'],
  ]);
});

test('an error of what is shared is told in each place', async () => {
  const { errors } = await ask('{ x: books { author { born } } y: books { author { born } } }');
  expect(errors?.map(({ path }) => path?.join('.')).sort()).toEqual(['x.1.author.born', 'y.1.author.born']);
  expect(asked).toEqual([['a1', 'a2']]);
});
