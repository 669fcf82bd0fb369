import { buildSubgraphSchema } from '@apollo/subgraph';
import DataLoader from 'dataloader';
import {
  GraphQLError,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  type GraphQLSchema,
  Kind,
  parse,
} from 'graphql';
import { problem } from '../errors.js';

/** What its resolvers get. `calls` is told of each resolver that is called, and of each batch that is loaded. */
export interface RichContext {
  principal: null;
  calls: string[];
  heroes: DataLoader<string, { id: string } | null>;
}

export function richContext(): RichContext {
  const calls: string[] = [];
  const heroes = new DataLoader(async (ids: readonly string[]) => {
    calls.push(`load ${ids.join()}`);
    return ids.map((id) => (id === 'nobody' ? null : hero(id)));
  });
  return { principal: null, calls, heroes };
}

const typeDefs = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  scalar Moment
  scalar Odd
  enum Color { RED GREEN BLUE }
  enum How { THROW REJECT ERROR TEXT CODE NULL UNDEFINED WRONG LATE FINE }
  input Point { x: Int = 1  y: Int!  at: Moment  color: Color = GREEN  next: Point }
  interface Being { id: ID!  name: String  friend: Being }
  type Hero implements Being @key(fields: "id") {
    id: ID!  name: String  friend: Being  friends(n: Int = 2): [Hero!]!  nullable: [Hero]  self: Hero!
    loose(how: How = FINE): String  strict(how: How = FINE): String!  color: Color  height(unit: Int): Float
    method(suffix: String): String  getter: String  promised: String  promisedStrict: String!  missing: Int
    loaded(id: ID!): Hero  constructor: String
  }
  type Villain implements Being @key(fields: "id") { id: ID!  name: String  friend: Being  evil: Int! }
  type Rock @key(fields: "id") { id: ID!  weight: Int }
  type Picky { a: String }
  type User { sName: String }
  type Users { Name: String }
  union Thing = Hero | Rock
  union Late = Picky | Rock
  type Query {
    hero(id: ID = "1"): Hero  mustHero(how: How = FINE): Hero!  heroes(n: Int = 3): [Hero!]!  maybes: [Hero]
    being(kind: String): Being  beings: [Being!]  things: [Thing]  late(kind: String): Late  picky(is: String): Picky
    matrix(how: How = FINE): [[Int]]  strictMatrix(how: How = FINE): [[Int!]!]  set: [String!]  notList: [Int]  generated: [Int]
    fail(how: How!): String  failStrict(how: How!): String!  int(how: How): Int  color(as: String = "R"): Color  odd(value: Int): Odd
    moment(at: Moment): Moment  user: User  users: Users  a: Hero  a_name: String
    echo(int: Int = 7, float: Float, text: String = "t", flag: Boolean, id: ID, color: Color = BLUE, at: Moment,
      odd: Odd, point: Point, points: [Point!], matrix: [[Int!]], ids: [ID!]! = ["d"]): String
  }
  type Subscription { ticks: Int! }
  type Mutation { add(n: Int!, how: How = FINE): Int  addStrict(n: Int!, how: How = FINE): Int!  hero: Hero }
`);

const hero = (id: string) => ({
  id,
  name: `hero ${id}`,
  color: 'R',
  method(args: { suffix?: string }, _context: unknown, info: GraphQLResolveInfo) {
    return `${this.id} ${args.suffix} ${info.fieldName} ${info.path.key}`;
  },
  get getter(): string {
    if (id === '2') throw new Error('got nothing');
    return 'got';
  },
  promised: Promise.resolve('kept'),
  // A getter, so that nobody has to wait for it where it is not asked for.
  get promisedStrict() {
    return id === '2' ? Promise.resolve(null) : Promise.resolve('kept');
  },
});

/** A value, or one of the ways of having none. */
function outcome(how: string, value: unknown): unknown {
  if (how === 'THROW') throw new Error('thrown');
  if (how === 'REJECT') return Promise.reject(new Error('rejected'));
  if (how === 'ERROR') return new Error('returned');
  if (how === 'TEXT') throw 'a text';
  if (how === 'CODE') throw problem('NOT_FOUND', 'There is none.', { field: 'id' });
  if (how === 'NULL') return null;
  if (how === 'UNDEFINED') return undefined;
  if (how === 'WRONG') return { some: 'object' };
  return how === 'LATE' ? Promise.resolve().then(() => value) : value;
}

interface Args {
  how: string;
  id: string;
  kind: string;
  is: string;
  as: string;
  n: number;
  unit: number;
  value: number;
  at: unknown;
}

function log({ calls }: RichContext, info: GraphQLResolveInfo, args: object): void {
  const keys: (string | number)[] = [];
  for (let at: GraphQLResolveInfo['path'] | undefined = info.path; at; at = at.prev)
    keys.unshift(`${at.typename ?? ''}:${at.key}`);
  calls.push(
    `${info.parentType.name}.${info.fieldName} ${keys.join('/')} ${info.returnType} ${JSON.stringify(args)} ${JSON.stringify(info.variableValues)}`,
  );
}

type Resolver = (source: never, args: Args, context: RichContext, info: GraphQLResolveInfo) => unknown;

const resolvers: Record<string, Record<string, Resolver>> = {
  Query: {
    hero: (_, { id }) => hero(id),
    mustHero: (_, { how }) => outcome(how, hero('1')),
    heroes: (_, { n }) => Array.from({ length: n }, (__, at) => hero(String(at + 1))),
    maybes: () => [
      hero('1'),
      null,
      Promise.resolve(hero('2')),
      Promise.reject(new Error('lost')),
      undefined,
      new Error('an item'),
    ],
    being: (_, { kind }) => ({ kind, id: 'b', name: 'being', evil: 3 }),
    beings: () => ['hero', 'villain', 'soon'].map((kind, id) => ({ kind, id, name: kind, evil: id })),
    things: async () => [
      { __typename: 'Hero', ...hero('4') },
      { __typename: 'Rock', id: 5, weight: 6 },
      { id: 'untyped' },
      { __typename: 'Villain', id: 'v' },
    ],
    late: (_, { kind }) => ({ kind, id: 'l', a: 'A', weight: 1 }),
    picky: (_, { is }) => ({ is, a: 'A' }),
    matrix: (_, { how }) => [[1, 2], [outcome(how, 3), Promise.resolve(4)], null, Promise.resolve([5])],
    strictMatrix(_, { how }) {
      const row = [outcome(how, 3)];
      return [[1, Promise.reject(new Error('first'))], row, []];
    },
    set: () => new Set(['b', 'a']),
    notList: () => 'a text',
    *generated() {
      yield 1;
      yield 2;
    },
    fail: (_, { how }) => outcome(how, 'fine'),
    failStrict: (_, { how }) => outcome(how, 'fine'),
    int: (_, { how }) => (how === undefined ? 2 ** 40 : outcome(how, '12')),
    color: (_, { as }) => as,
    odd: (_, { value }) => value,
    moment: (_, { at }) => at ?? new Date(0),
    user: () => ({}),
    users: () => ({}),
    a: () => hero('a'),
    a_name: (_, __, ___, info) => `${info.parentType.name}.${info.fieldName}`,
    echo: (_, args) => JSON.stringify(args),
  },
  Mutation: {
    add: async (_, { n, how }) => {
      await null;
      return outcome(how, n);
    },
    addStrict: (_, { n, how }) => outcome(how, n),
    hero: async () => hero('m'),
  },
  Hero: {
    friend: ({ id }: { id: string }) => ({ kind: 'villain', id: `friend of ${id}`, name: 'F', evil: '9' }),
    friends: async ({ id }: { id: string }, { n }) =>
      Array.from({ length: n }, (_, at) => hero(`${id}.${at}`)),
    nullable: ({ id }: { id: string }) => [hero(`${id}.a`), null],
    self: (source) => Promise.resolve(source),
    loose: (_, { how }) => outcome(how, 'loose'),
    strict: (_, { how }) => outcome(how, 'strict'),
    height: (_, { unit }) => (unit === 1 ? Number.NaN : 1.5),
    loaded: (_, { id }, { heroes }) => heroes.load(id),
    constructor: () => 'built',
  },
  Rock: { weight: ({ weight }: { weight: number }) => weight },
  User: { sName: () => 'User.sName' },
  Users: { Name: () => 'Users.Name' },
};

const references = {
  Hero: ({ id }: { id: string }, { heroes }: RichContext) => heroes.load(id),
  Villain: ({ id }: { id: string }) => (id === 'bad' ? new Error('bad') : { id, name: 'V', evil: null }),
};

const moment = new GraphQLScalarType<Date | string, string>({
  name: 'Moment',
  serialize(value) {
    if (value instanceof Date) return value.toISOString();
    throw new GraphQLError('no moment', { extensions: { code: 'BAD_USER_INPUT', field: 'at' } });
  },
  parseValue(value) {
    if (value === 'never') throw new Error('there is no such moment');
    return new Date(String(value));
  },
  parseLiteral: (node) => (node.kind === Kind.STRING ? new Date(node.value) : new Date(0)),
});
/** Gives nothing for even numbers. */
const odd = new GraphQLScalarType({
  name: 'Odd',
  serialize: (value) => (Number(value) % 2 === 0 ? undefined : { number: value }),
});

/** A schema that has everything that executing can meet, of resolvers that answer and fail in all ways. */
export function richSchema(): GraphQLSchema {
  const logged = Object.entries(resolvers).map(([type, fields]) => [
    type,
    Object.fromEntries(
      Object.entries(fields).map(([name, resolve]): [string, Resolver] => [
        name,
        (source, args, context, info) => {
          log(context, info, args);
          return resolve(source, args, context, info);
        },
      ]),
    ),
  ]);
  const { Hero, ...others } = Object.fromEntries(logged);
  return buildSubgraphSchema({
    typeDefs,
    resolvers: {
      ...others,
      Hero: { ...Hero, __resolveReference: references.Hero },
      Villain: { __resolveReference: references.Villain },
      Moment: moment,
      Odd: odd,
      Color: { RED: 'R', GREEN: 'G', BLUE: 'B' },
      Being: {
        __resolveType({ kind }: { kind: string }) {
          if (kind === 'throw') throw new Error('no type');
          if (kind === 'number') return 7;
          if (kind === 'soon') return Promise.resolve('Hero');
          return { hero: 'Hero', villain: 'Villain', rock: 'Rock', union: 'Thing', unknown: 'Unknown' }[kind];
        },
      },
      Picky: {
        __isTypeOf: ({ is, kind }: { is?: string; kind?: string }) => {
          if (is === 'throw') throw new Error('no idea');
          return is === 'no'
            ? false
            : is === 'soon no'
              ? Promise.resolve(false)
              : kind === 'picky' || is !== undefined;
        },
      },
    } as never,
  });
}
