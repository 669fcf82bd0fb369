import type { Random } from '../../../gateway/testing/random.js';

const times = (count: number, make: (n: number) => string, between = ' '): string =>
  Array.from({ length: count }, (_, n) => make(n)).join(between);

/** Documents that ask for much, or for nothing that there could be. */
const documents: readonly ((size: number) => string)[] = [
  (size) => '{'.repeat(size),
  (size) => `${'{ a '.repeat(size)}${'}'.repeat(size)}`,
  (size) => `${'{ me { orders { nodes { user '.repeat(size / 4)}${'}'.repeat(size)}`,
  (size) => `{ ${times(size, (n) => `a${n}: __typename`)} }`,
  (size) => `{ ${times(size, () => '__typename')} }`,
  (size) => `{ ${times(size, (n) => `a${n}: products(first: 100) { nodes { id name } }`)} }`,
  (size) => `{ __typename ${times(size, () => '@include(if: true)')} }`,
  (size) =>
    `{ ...f } fragment f on Query { me { ...g } } fragment g on User { orders { nodes { user { ...g } } } } ${times(size / 10, (n) => `fragment h${n} on Query { ...h${n} }`)}`,
  (size) =>
    `{ ...f0 } ${times(Math.min(size, 60), (n) => `fragment f${n} on Query { ...f${n + 1} ...f${n + 1} }`)} fragment f${Math.min(size, 60)} on Query { __typename }`,
  (size) =>
    `{ ...f0 } ${times(Math.min(size, 60), (n) => `fragment f${n} on Query { ...f${n + 1} ...f${n + 1} }`)} fragment f${Math.min(size, 60)} on Query { ...none }`,
  // A chain of fragments: flat as a text, and as deep as it is long.
  (size) =>
    `{ me { ...c0 } } ${times(Math.min(size, 60), (n) => `fragment c${n} on User { ${'orders { nodes { user { '.repeat(20)} ...c${n + 1} id ${'} } } '.repeat(20)} }`)} fragment c${Math.min(size, 60)} on User { id }`,
  (size) => `query (${times(size, (n) => `$v${n}: ID`)}) { __typename }`,
  (size) => `{ product(id: ${'['.repeat(size)}${']'.repeat(size)}) { id } }`,
  (size) => `{ product(id: ${'{a:'.repeat(size)}1${'}'.repeat(size)}) { id } }`,
  (size) => `{ products(first: ${'9'.repeat(size)}) { totalCount } }`,
  // A custom scalar takes whatever is written.
  (size) => `{ products(after: ${'9'.repeat(size)}) { totalCount } }`,
  (size) => `{ products(after: 1e${size}) { totalCount } }`,
  (size) => `{ products(after: ${'['.repeat(size)}${']'.repeat(size)}) { totalCount } }`,
  (size) => `{ products(after: ${'{a:'.repeat(size)}1${'}'.repeat(size)}) { totalCount } }`,
  () => '{ _entities(representations: [{ __typename: "User", id: 1.5 }]) { ... on User { id } } }',
  (size) => `{ products(search: "${'x'.repeat(size)}") { totalCount } }`,
  (size) => `{ products(search: """${'"'.repeat(size)}`,
  (size) => `${times(size, (n) => `query q${n} { __typename }`)}`,
  (size) => `# ${'#'.repeat(size)}\n{ __typename }`,
  (size) =>
    `{ __schema { types { fields { type { fields { type { fields { name } } } } } } } ${times(size / 10, (n) => `a${n}: __type(name: "Query") { fields { name } }`)} }`,
  () => 'subscription { orderUpdated(orderId: "1") { cursor } }',
  () => 'mutation { __typename }',
  () => 'subscription { __typename }',
  () => '{ __proto__ constructor hasOwnProperty }',
  () => 'query ($__proto__: ID) { product(id: $__proto__) { id } }',
  () => 'type Query { a: Int }',
  () => 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9")',
  () => '{ _service { sdl } }',
  () =>
    '{ _entities(representations: [{ __typename: "User", id: "1" }, {}, 1, null, { __typename: "__proto__" }]) { __typename } }',
  () => '\ufeff{ __typename }',
  () => '{ "a" }',
  () => '',
];

const sizes = [1, 10, 200, 5_000];

export const hostileDocument = (random: Random): string => random.pick(documents)(random.pick(sizes));

/** Bodies that are no GraphQL request, as bytes. */
export const hostileBody = (random: Random, whole: string): Buffer => {
  const bytes = Buffer.from(whole);
  switch (random.below(6)) {
    case 0:
      return bytes.subarray(0, random.below(bytes.length + 1));
    case 1:
      // No text in UTF-8.
      return Buffer.concat([
        Buffer.from('{"query":"{ __typename } #'),
        Buffer.from([0xff, 0xfe, 0xc0, 0x80]),
        Buffer.from('"}'),
      ]);
    case 2:
      return Buffer.from(`{"query":"{ __typename }","variables":${'['.repeat(5_000)}${']'.repeat(5_000)}}`);
    case 3:
      return Buffer.from(`[${whole},${whole}]`);
    case 4:
      return Buffer.from(
        '{"__proto__":{"query":"{ __typename }"},"query":"{ __typename }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"__proto__"}}}',
      );
    default:
      return Buffer.from(
        random.pick([
          'null',
          '1',
          '"{ __typename }"',
          '{}',
          '{"query":1}',
          '{"query":null}',
          '\0',
          '{"query":"{ __typename }","variables":"{}"}',
        ]),
      );
  }
};
