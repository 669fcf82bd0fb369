import { expect, test } from 'vitest';
import { openZoo, ron, tom } from '../testing/zoo.js';

const { ask, asked } = openZoo();

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
