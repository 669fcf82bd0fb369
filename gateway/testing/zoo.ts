import { type Answering, engineOn, resolving } from './engine.js';

interface Animal {
  id: string;
  name?: string;
  score?: number;
  size?: { kg?: number; cm?: number };
}

export const tom = { __typename: 'Cat', id: '1', name: 'Tom', size: { kg: 1, cm: 10 } };
export const ron = { __typename: 'Fish', id: '2', name: 'Ron', size: { kg: 2, cm: 10 } };
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

/**
 * Our executor on a zoo, where objects lack what some fields require. `asked` are the animals that the last query asked
 * `food` and `vet` about, by id and name, for each fetch; `failing` answers in place of a subgraph.
 */
export function openZoo() {
  const asked: string[][] = [];
  const recording = ({ sdl, answer }: Answering): Answering => ({
    sdl,
    answer(body) {
      const shown = (body.variables?.['representations'] ?? []) as Animal[];
      asked.push(shown.map(({ id, name }) => (name ? `${id} ${name}` : id)));
      return answer(body);
    },
  });
  const subgraphs = { zoo, clinic, food: recording(food), vet: recording(vet) };
  function ask(query: string, failing: Record<string, Answering['answer']> = {}) {
    asked.length = 0;
    const some = Object.fromEntries(
      Object.entries(subgraphs).map(([name, { sdl, answer }]) => [
        name,
        // The executor writes into what it is answered.
        { sdl, answer: async (body) => structuredClone(await (failing[name] ?? answer)(body)) } as Answering,
      ]),
    );
    return engineOn(some)(query);
  }
  return { ask, asked };
}
