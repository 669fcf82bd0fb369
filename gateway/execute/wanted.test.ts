import { expect, test } from 'vitest';
import { engineOn, resolving } from '../testing/engine.js';
import { openZoo, ron, tom } from '../testing/zoo.js';

const { ask, asked } = openZoo();

test.each<[string, string, Record<string, unknown>, object[], string[][]]>([
  [
    'nothing that is wanted of another type alone',
    '{ animals { treat ... on Fish { rank } } }',
    { animals: [{ ...tom, name: undefined }, ron] },
    [{ treat: null }, { treat: 'oats for Ron', rank: 2 }],
    [['2 Ron']],
  ],
  [
    'nothing that is wanted of it on a condition that does not hold',
    'query ($a: Boolean = false) { animals { treat ... on Fish { rank } ... on Cat @include(if: $a) { rank } } }',
    { animals: [{ ...tom, name: undefined }, ron] },
    [{ treat: null }, { treat: 'oats for Ron', rank: 2 }],
    [['2 Ron']],
  ],
  [
    'nothing that is required of it on a condition that does not hold',
    'query ($a: Boolean = false) { animals { treat ... on Fish { rank } ... on Cat @include(if: $a) { place } } }',
    { animals: [{ ...tom, name: undefined }, ron] },
    [{ treat: null }, { treat: 'oats for Ron', rank: 2 }],
    [['2 Ron']],
  ],
  [
    'what is wanted by another name',
    '{ animals { treat ... on Fish { rank } ... on Cat { place: rank } } }',
    {
      animals: [
        { ...tom, name: undefined },
        { ...ron, name: undefined },
      ],
    },
    [
      { treat: null, place: 1 },
      { treat: null, rank: 2 },
    ],
    [['1', '2']],
  ],
  [
    'what is wanted of its interface',
    '{ animals { treat ...ranked } } fragment ranked on Animal { rank }',
    { animals: [{ ...tom, name: undefined }] },
    [{ treat: null, rank: 1 }],
    [['1']],
  ],
  [
    'what is required of it later',
    '{ animals { treat ... on Cat { place } } }',
    {
      animals: [
        { ...tom, name: undefined },
        { ...ron, name: undefined },
      ],
    },
    [{ treat: null, place: 'place 3' }, { treat: null }],
    [['1'], ['1']],
  ],
])(
  'an object that lacks what a field requires is asked for what is wanted of it: %s',
  async (_what, query, answer, animals, fetches) => {
    expect(await ask(query, { zoo: () => ({ data: answer }) })).toEqual({ status: 200, data: { animals } });
    expect(asked.sort()).toEqual(fetches);
  },
);

test('an object that lacks what a field requires is asked for what is required of what holds it', async () => {
  const library = engineOn({
    shelves: {
      sdl: `type Shelf @key(fields: "id") { id: ID!  book: Book }
        type Book @key(fields: "id") { id: ID!  pages: Int }
        type Query { shelf: Shelf }`,
      answer: () => ({
        data: {
          shelf: { __typename: 'Shelf', id: '1', book: { __typename: 'Book', id: '2' } },
        },
      }),
    },
    books: resolving(
      `type Book @key(fields: "id") {
         id: ID!  pages: Int @external  weight: Int @requires(fields: "pages")  color: String
       }`,
      { Book: { __resolveReference: (book: object) => book, color: () => 'red' } },
    ),
    looks: resolving(
      `type Shelf @key(fields: "id") {
         id: ID!  book: Book @external  look: String @requires(fields: "book { color }")
       }
       type Book @key(fields: "id") { id: ID!  color: String @external }`,
      {
        Shelf: {
          __resolveReference: (shelf: object) => shelf,
          look: ({ book }: { book: { color: string } }) => `all ${book.color}`,
        },
      },
    ),
  });
  expect(await library('{ shelf { look book { weight } } }')).toEqual({
    status: 200,
    data: { shelf: { look: 'all red', book: { weight: null } } },
  });
});

test('an object is asked for what one type has while others may still tell its type', async () => {
  const clinic = () => ({
    data: { ill: ['1', '2'].map((id) => ({ __typename: 'Animal', id, front: 'f' })) },
  });
  expect(await ask('{ ill { coin ... on Fish { face } } }', { clinic })).toEqual({
    status: 200,
    data: { ill: [{ coin: null }, { coin: null, face: 'f face' }] },
  });
});

test('an object is not asked for what one type has where nobody could tell its type', async () => {
  const zoo = () => ({ data: { _entities: [null, null] } });
  expect(await ask('{ ill { treat ... on Fish { score } } }', { zoo })).toEqual({
    status: 200,
    data: { ill: [{ treat: null }, { treat: null }] },
  });
  expect(asked).toEqual([]);
});
