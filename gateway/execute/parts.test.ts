import { expect, test } from 'vitest';
import { type Answering, engineOn, resolving } from '../testing/engine.js';

interface Animal {
  id: string;
  name?: string;
  score?: number;
  size?: { kg?: number; cm?: number };
}

/** What the subgraph was asked by which treats are made out of names. */
let asked: string[][] = [];

const tom = { __typename: 'Cat', id: '1', name: 'Tom', size: { kg: 1, cm: 10 } };
const ron = { __typename: 'Fish', id: '2', name: 'Ron', size: { kg: 2, cm: 10 } };
const zoo = resolving(
  `interface Animal @key(fields: "id") { id: ID!  name: String  size: Size }
   type Cat implements Animal @key(fields: "id") { id: ID!  name: String  size: Size }
   type Fish implements Animal @key(fields: "id") { id: ID!  name: String  size: Size }
   type Size @shareable { kg: Int  cm: Int }
   interface Home { pet: Animal }
   type House implements Home { pet: Animal }
   type Pond implements Home { pet: Animal }
   type Query { animals: [Animal]  homes: [Home] }`,
  {
    Query: {
      animals: () => [tom, ron],
      homes: () => [
        { __typename: 'House', pet: tom },
        { __typename: 'Pond', pet: ron },
      ],
    },
    Animal: {
      __resolveReference: ({ id }: Animal) => (id === '1' ? tom : ron),
      __resolveType: ({ __typename }: { __typename: string }) => __typename,
    },
  },
);

const food = resolving(
  `type Animal @key(fields: "id") @interfaceObject {
     id: ID!  name: String @external  size: Size @external
     rank(by: Int = 1): Int!
     score: Int
     treat(of: String = "oats"): String @requires(fields: "name")
     meal: Int @requires(fields: "size { kg }")
     tank: Int @requires(fields: "size { cm }")
     front: String @external  back: String @external
     coin: String @requires(fields: "back")
     face: String @requires(fields: "front")
   }
   type Size @shareable { kg: Int  cm: Int }
   type Query { fed: [Animal] }`,
  {
    Query: { fed: () => [{ id: '1' }, { id: '2' }] },
    Animal: {
      __resolveReference: (animal: Animal) => animal,
      score: ({ id }: Animal) => Number(id) * 3,
      rank: ({ id }: Animal, { by }: { by: number }) => by * Number(id),
      treat({ name }: Animal, { of }: { of: string }) {
        if (name === undefined) throw new Error('a treat for nobody');
        return `${of} for ${name}`;
      },
      meal: ({ size }: Animal) => (size?.kg === undefined ? -1 : size.kg * 2),
      face: ({ front }: { front: string }) => `${front} face`,
      coin: ({ back }: { back: string }) => `coin of ${back}`,
      tank: ({ size }: Animal) => (size?.cm === undefined ? -1 : size.cm * 2),
    },
  },
);

/** A subgraph that tells the types of animals apart. */
const vet = resolving(
  `type Cat @key(fields: "id") {
     id: ID!  size: Size @external  score: Int @external
     lives: Int
     place: String @requires(fields: "score")
     dose: Int @requires(fields: "size { kg }")
   }
   type Fish @key(fields: "id") {
     id: ID!  size: Size @external
     bowl: Int @requires(fields: "size { cm }")
     depth: Int
     isMeasured: Boolean @requires(fields: "size { __typename }")
   }
   type Size @shareable { kg: Int  cm: Int }`,
  {
    Cat: {
      __resolveReference: (animal: Animal) => animal,
      lives: () => 9,
      place: ({ score }: Animal) => `place ${score}`,
      dose: ({ size }: Animal) => (size?.kg === undefined ? -1 : size.kg * 3),
    },
    Fish: {
      __resolveReference: (animal: Animal) => animal,
      bowl: ({ size }: Animal) => (size?.cm === undefined ? -1 : size.cm * 3),
      depth: () => 7,
      isMeasured: ({ size }: Animal) => size !== undefined,
    },
  },
);

/** A subgraph that knows no types of animals. */
const clinic = resolving(
  `type Animal @key(fields: "id") @interfaceObject { id: ID!  front: String  back: String }
   type Query { ill: [Animal] }`,
  { Query: { ill: () => ['1', '2'].map((id) => ({ id, front: `front ${id}`, back: `back ${id}` })) } },
);

const recording = ({ sdl, answer }: Answering): Answering => ({
  sdl,
  answer(body) {
    const shown = (body.variables?.['representations'] ?? []) as Animal[];
    asked.push(shown.map(({ id, name }) => (name ? `${id} ${name}` : id)));
    return answer(body);
  },
});

async function ask(query: string, failing: Record<string, Answering['answer']> = {}) {
  asked = [];
  const subgraphs = { zoo, clinic, food: recording(food), vet: recording(vet) };
  const some = Object.fromEntries(
    Object.entries(subgraphs).map(([name, one]) => [name, { ...one, answer: failing[name] ?? one.answer }]),
  );
  return engineOn(some)(query);
}

test.each<[string, string, object, string[][]]>([
  [
    'of another type',
    '{ animals { rank ... on Fish { treat } } }',
    { animals: [{ rank: 1 }, { rank: 2, treat: 'oats for Ron' }] },
    [['1'], ['2 Ron']],
  ],
  [
    'of another type, each in a fragment',
    '{ animals { ... on Cat { rank } ... on Fish { rank treat } } }',
    { animals: [{ rank: 1 }, { rank: 2, treat: 'oats for Ron' }] },
    [['1'], ['2 Ron']],
  ],
  [
    'below another kind of parent',
    '{ homes { ... on House { pet { rank } } ... on Pond { pet { treat } } } }',
    { homes: [{ pet: { rank: 1 } }, { pet: { treat: 'oats for Ron' } }] },
    [['1'], ['2 Ron']],
  ],
  [
    'with a variable of its own',
    'query ($of: String = "hay") { animals { rank ... on Fish { treat(of: $of) } } }',
    { animals: [{ rank: 1 }, { rank: 2, treat: 'hay for Ron' }] },
    [['1'], ['2 Ron']],
  ],
  [
    'a value of which another part is there',
    '{ animals { size { cm } ... on Fish { size { kg } } rank ... on Fish { meal } } }',
    {
      animals: [
        { size: { cm: 10 }, rank: 1 },
        { size: { cm: 10, kg: 2 }, rank: 2, meal: 4 },
      ],
    },
    [['1'], ['2']],
  ],
  [
    'one of two that require',
    '{ animals { treat ... on Fish { meal } } }',
    { animals: [{ treat: 'oats for Tom' }, { treat: 'oats for Ron', meal: 4 }] },
    [['1 Tom'], ['2 Ron']],
  ],
  [
    'each with another part of a value',
    '{ animals { ... on Cat { meal } ... on Fish { tank } } }',
    { animals: [{ meal: 2 }, { tank: 20 }] },
    [['1'], ['2']],
  ],
  [
    'no one where a type needs another part of a value than another type',
    '{ animals { ... on Cat { dose } ... on Fish { bowl } } }',
    { animals: [{ dose: 3 }, { bowl: 30 }] },
    [['1', '2']],
  ],
  [
    'no one where all have it',
    '{ animals { rank treat } }',
    {
      animals: [
        { rank: 1, treat: 'oats for Tom' },
        { rank: 2, treat: 'oats for Ron' },
      ],
    },
    [['1 Tom', '2 Ron']],
  ],
  [
    'nobody who would not be asked for anything else',
    '{ animals { ... on Fish { treat } } }',
    { animals: [{}, { treat: 'oats for Ron' }] },
    [['2 Ron']],
  ],
])(
  'an object that lacks what a field requires is asked for the other fields: %s',
  async (_what, query, data, fetches) => {
    expect(await ask(query)).toEqual({ status: 200, data });
    expect(asked.sort()).toEqual(fetches);
  },
);

test('what is shown is asked for where it is to be called something else', async () => {
  const query = 'query ($a: Boolean = false) { fed { ... on Fish { own: id treat @include(if: $a) } } }';
  expect(await ask(query)).toEqual({ status: 200, data: { fed: [{}, { own: '2' }] } });
});

test('what a subgraph fails to tell costs what requires it alone', async () => {
  const zoo = () => ({ data: { animals: [tom, { ...ron, name: undefined }] } });
  expect(await ask('{ animals { rank treat } }', { zoo })).toEqual({
    status: 200,
    data: {
      animals: [
        { rank: 1, treat: 'oats for Tom' },
        { rank: 2, treat: null },
      ],
    },
  });
});

test('parts of a value that are required in several places are shown together', async () => {
  const query = `query ($a: Boolean = true, $b: Boolean = true) { homes @include(if: $a) {
    ... on Pond @include(if: $b) { pet { ... on Cat @skip(if: $a) { name } tank } } pet { meal rank }
  } }`;
  expect(await ask(query)).toEqual({
    status: 200,
    data: { homes: [{ pet: { meal: 2, rank: 1 } }, { pet: { tank: 20, meal: 4, rank: 2 } }] },
  });
});

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

test('an object is not asked for what is there for another type alone', async () => {
  const zoo = () => ({ data: { animals: [tom, { ...ron, size: undefined }] } });
  expect(await ask('{ animals { ... on Cat { lives } ... on Fish { bowl } } }', { zoo })).toEqual({
    status: 200,
    data: { animals: [{ lives: 9 }, { bowl: null }] },
  });
  expect(asked).toEqual([['1']]);
});

test.each<[string, object, object]>([
  ['not there', { ...ron, size: undefined }, { depth: 7, isMeasured: null, bowl: null }],
  [
    'there without more',
    { ...ron, size: { __typename: 'Size' } },
    { depth: 7, isMeasured: true, bowl: null },
  ],
  ['there', { ...ron, size: { __typename: 'Size', cm: 10 } }, { depth: 7, isMeasured: true, bowl: 30 }],
])('an object may be required for its type alone: it is %s', async (_what, fish, data) => {
  const zoo = () => ({ data: { animals: [fish] } });
  const measured = '{ animals { ... on Fish { depth isMeasured } } }';
  const { bowl: _, ...less } = data as Record<string, unknown>;
  expect(await ask(measured, { zoo })).toEqual({ status: 200, data: { animals: [less] } });
  const both = '{ animals { ... on Fish { depth isMeasured bowl } } }';
  expect(await ask(both, { zoo })).toEqual({ status: 200, data: { animals: [data] } });
});

test('nobody is asked for an object without its key', async () => {
  const zoo = () => ({ data: { animals: [{ __typename: 'Cat', name: 'Tom' }, { ...ron }] } });
  expect(await ask('{ animals { ... on Cat { rank treat } ... on Fish { treat } } }', { zoo })).toMatchObject(
    {
      data: { animals: [null, { treat: 'oats for Ron' }] },
      errors: [{ path: ['animals', 0, 'rank'], message: expect.stringMatching(/^A service answered/) }],
    },
  );
  expect(asked).toEqual([['2 Ron']]);
});

test('an object whose type has no name costs nothing but itself', async () => {
  const nameless = { toString: 1, valueOf: 1 };
  const zoo = () => ({ data: { animals: [{ ...tom, __typename: nameless }, ron] } });
  expect(await ask('{ animals { rank treat } }', { zoo })).toMatchObject({
    status: 200,
    data: { animals: [null, { rank: 2, treat: 'oats for Ron' }] },
  });
});

test('the service is named that had to tell what is missing', async () => {
  const silent = () => ({ data: { _entities: [{ __typename: 'Animal' }] } });
  expect(await ask('{ animals { rank ... on Fish { treat } } }', { food: silent })).toMatchObject({
    data: { animals: [null, null] },
    errors: [0, 1].map((index) => ({
      path: ['animals', index, 'rank'],
      extensions: { service: 'food' },
    })),
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
