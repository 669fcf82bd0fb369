import { expect, test } from 'vitest';
import { engineOn } from '../testing/engine.js';
import type { Entity } from './entity.js';

/** A subgraph that answers with some fields of its root, whatever it is asked. */
const saying = (sdl: string, data: Entity) => ({ sdl, answer: () => ({ data: structuredClone(data) }) });
const broken = (service: string | undefined, ...path: (string | number)[]) => ({
  message: expect.stringMatching(/answered with something else than its schema says/),
  path,
  extensions: { code: 'SERVICE_UNAVAILABLE', errorId: expect.any(String), ...(service && { service }) },
});

/** One subgraph knows the user, the other does not; the planner calls a field `id` otherwise. */
const askOfUser = engineOn({
  a: saying(
    'type User @key(fields: "id") { id: ID!  age: Int! } type Query { user(id: ID!): User @shareable }',
    { user: { id: '1', age: 3 }, _r0: { id: '1', age: 3 } },
  ),
  b: saying(
    `type User @key(fields: "id", resolvable: false) { id: ID!  karma: Int! }
    type Query { user(id: ID!): User @shareable }`,
    { user: null, _r0: null },
  ),
});

test.each([
  ['its own', '{ user(id: 1) { age karma } }', 'user'],
  ['that of a key', '{ id: user(id: 1) { age karma } }', 'id'],
])(
  'what one of two subgraphs does not know of a root field is nobody’s fault: its name is %s',
  async (_, query, name) => {
    expect(await askOfUser(query)).toEqual({ status: 200, data: { [name]: null } });
  },
);

const addresses = (address: Entity | null) =>
  engineOn({
    a: saying(
      `type User @key(fields: "id") { id: ID!  address: Address @shareable }
      type Address { street: String @shareable  floor: Int! }
      type Query { users: [User] }`,
      { users: [{ __typename: 'User', id: '1', address }] },
    ),
    b: saying(
      `type User @key(fields: "id") { id: ID!  address: Address @shareable }
      type Address { street: String @shareable  zip: String!  doors: [Int!] }`,
      { _entities: [{ address: address ? null : { zip: 'Z', doors: [1, null] } }] },
    ),
  });

test('nor is what one of two does not know below the root', async () => {
  const data = { users: [{ address: null }] };
  expect(await addresses({ street: 'S' })('{ users { address { street zip } } }')).toEqual({
    status: 200,
    data,
  });
  expect(await addresses(null)('{ users { address { floor zip } } }')).toEqual({ status: 200, data });
});

test('an element of a list is the fault of the one that answered the list', async () => {
  expect(await addresses(null)('{ users { address { street doors } } }')).toEqual({
    status: 200,
    data: { users: [{ address: { street: null, doors: null } }] },
    errors: [broken('b', 'users', 0, 'address', 'doors', 1)],
  });
});

const conditional = engineOn({
  goods: saying(
    `type Product @key(fields: "id") { id: ID!  name: String! }
    type Query { product: Product  strict: Int!  other: Product }`,
    { product: { __typename: 'Product', id: '1' }, strict: 1 },
  ),
  sizes: saying('type Product @key(fields: "id") { id: ID!  x: Int!  y: Int! }', { _entities: [{ y: 1 }] }),
  sums: saying(
    `type Product @key(fields: "id") { id: ID!  x: Int! @external  y: Int! @external
      p: Int! @requires(fields: "x")  q: Int! @requires(fields: "y")  r: Int! }`,
    { _entities: [{}] },
  ),
});

test.each<[string, string, Entity, object[]]>([
  [
    'another field may be left out',
    '{ product { name } strict s: strict @include(if: $no) }',
    { product: null, strict: 1 },
    [broken('goods', 'product', 'name')],
  ],
  [
    'its own condition holds',
    '{ product { name @skip(if: $no) } }',
    { product: null },
    [broken('goods', 'product', 'name')],
  ],
  [
    'it needs what is asked for',
    '{ product { q name @include(if: $no) } }',
    { product: null },
    [broken('sums', 'product', 'q')],
  ],
])('what is missing is an error though conditions are about: %s', async (_, selection, data, errors) => {
  expect(await conditional(`query($no: Boolean = false) ${selection}`)).toEqual({
    status: 200,
    data,
    errors,
  });
});

test('a field that the planner has wait for one that is left out is asked for, and missed', async () => {
  const query = 'query($no: Boolean = false) { product { p @include(if: $no) q @skip(if: $no) } }';
  expect(await conditional(query)).toEqual({
    status: 200,
    data: { product: null },
    errors: [broken('sums', 'product', 'q')],
  });
});
