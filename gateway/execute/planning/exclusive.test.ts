import { expect, test } from 'vitest';
import { engineOn, resolving } from '../../testing/engine.js';

/** Media, and who made them: people of another subgraph, where objects of two types hold the same person. */
const ask = engineOn({
  media: resolving(
    `type Query { media: [Media!]!  anything: [Thing!]! }
     union Media = Book | Film
     interface Thing { by: Person }
     type Book implements Thing { by: Person }
     type Film implements Thing { by: Person  boss: Person }
     type Person @key(fields: "id") { id: ID! }`,
    {
      Query: Object.fromEntries(
        ['media', 'anything'].map((name) => [
          name,
          () => [
            { __typename: 'Book', by: { id: '1' } },
            { __typename: 'Film', by: { id: '1' }, boss: { id: '2' } },
          ],
        ]),
      ),
    },
  ),
  people: resolving(
    `type Person @key(fields: "id") { id: ID!  name(in: String = "en"): String  nick: String  friend: Person }`,
    {
      Person: {
        __resolveReference: ({ id }: { id: string }) => ({ id }),
        name: ({ id }: { id: string }, { in: language }: { in: string }) => `name ${id} ${language}`,
        nick: ({ id }: { id: string }) => `nick ${id}`,
        friend: ({ id }: { id: string }) => ({ id: `${id}0` }),
      },
    },
  ),
});

// What stands at one place of a plan is an object's whose holder has one type or the other.
test.each<[string, string, unknown[]]>([
  [
    'arguments',
    '{ all: media { ... on Book { by { name(in: "fr") } } ... on Film { by { name(in: "de") } } } }',
    [{ by: { name: 'name 1 fr' } }, { by: { name: 'name 1 de' } }],
  ],
  [
    'fields',
    '{ all: media { ... on Book { by { it: nick } } ... on Film { by { it: name } } } }',
    [{ by: { it: 'nick 1' } }, { by: { it: 'name 1 en' } }],
  ],
  [
    'fields of what is below',
    '{ all: media { ... on Book { by { friend { it: nick } } } ... on Film { by { friend { it: name } } } } }',
    [{ by: { friend: { it: 'nick 10' } } }, { by: { friend: { it: 'name 10 en' } } }],
  ],
  [
    'fields in named fragments',
    `{ all: media { ...B ...F } } fragment B on Book { by { ...N } } fragment N on Person { it: nick }
     fragment F on Film { by { ...M } } fragment M on Person { it: name }`,
    [{ by: { it: 'nick 1' } }, { by: { it: 'name 1 en' } }],
  ],
  [
    'fields beside one that all have',
    '{ all: anything { by { nick } ... on Book { by { it: nick } } ... on Film { by { it: name } } } }',
    [{ by: { nick: 'nick 1', it: 'nick 1' } }, { by: { nick: 'nick 1', it: 'name 1 en' } }],
  ],
  [
    'what holds them too',
    '{ all: media { ... on Book { who: by { it: nick } } ... on Film { who: boss { it: name } } } }',
    [{ who: { it: 'nick 1' } }, { who: { it: 'name 2 en' } }],
  ],
])(
  'a name below objects of different types means what each of them says: other %s',
  async (_what, query, all) => {
    expect(await ask(query)).toEqual({ status: 200, data: { all } });
  },
);

/** Animals, and a subgraph to which they are all alike. */
const askZoo = engineOn({
  zoo: resolving(
    `interface Animal @key(fields: "id") { id: ID! }
     type Cat implements Animal @key(fields: "id") { id: ID! }
     type Dog implements Animal @key(fields: "id") { id: ID! }
     type Query { animals: [Animal!]! }`,
    {
      Query: {
        animals: () => [
          { __typename: 'Cat', id: '1' },
          { __typename: 'Dog', id: '2' },
        ],
      },
    },
  ),
  food: resolving(
    `type Animal @key(fields: "id") @interfaceObject { id: ID!  food(of: String): String  drink: String }`,
    {
      Animal: {
        __resolveReference: ({ id }: { id: string }) => ({ id }),
        food: ({ id }: { id: string }, { of }: { of: string }) => `food ${id} ${of}`,
        drink: ({ id }: { id: string }) => `drink ${id}`,
      },
    },
  ),
});

test.each([
  ['food(of: "noon")', 'food(of: "night")', 'food 1 noon', 'food 2 night'],
  ['drink', 'food(of: "noon")', 'drink 1', 'food 2 noon'],
])(
  'a name means what the own type of an object says where a subgraph cannot tell the types: %s, %s',
  async (cats, dogs, ...all) => {
    expect(await askZoo(`{ animals { ... on Cat { it: ${cats} } ... on Dog { it: ${dogs} } } }`)).toEqual({
      status: 200,
      data: { animals: all.map((it) => ({ it })) },
    });
  },
);
