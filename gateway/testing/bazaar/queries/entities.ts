import type { NamedQuery } from '../queries.js';

/** Keys of all kinds, and fields that several subgraphs have. */
export const entityQueries: readonly NamedQuery[] = [
  ['one subgraph', '{ book(isbn: "isbn-b1") { id name pages } }'],
  ['an entity by its first key', '{ user(id: "u1") { id discount visited { name } } }'],
  ['an entity by its second key', '{ user(email: "u2@x.org") { karma basket { id } loans { id } } }'],
  [
    'an entity that subgraphs know by different keys',
    '{ book(isbn: "isbn-b1") { price { amount currency } scans { page url } lender { __typename } } }',
  ],
  [
    'a key that only a third subgraph can translate',
    '{ offers { id item { ... on Book { scans { page } rating } } } }',
  ],
  ['stubs of a key that is not resolvable', '{ book(isbn: "isbn-b1") { authors { id name age } } }'],
  ['only the key of a stub', '{ book(isbn: "isbn-b1") { authors { id } } }'],
  ['an entity that its owner does not have', '{ products { id ... on Book { authors { id name } } } }'],
  [
    'a missing entity where null is not allowed',
    '{ products(ids: ["g1", "g2", "g3"]) { id ... on Gadget { inventor { id email } } } }',
  ],
  [
    'a composite key',
    '{ offers { sku market { code title depot { name } founded } left reserved price { amount } } }',
  ],
  [
    'a composite key by an input with a default',
    '{ offer(key: { sku: "s1" }) { id left market { code currency } } }',
  ],
  [
    'a nested key',
    '{ company(country: "de", number: 1) { name ceo { name } venues { name } site { name holdings { id } } } }',
  ],
  [
    'a nested key of a stub in a union',
    '{ products { maker { __typename ... on Company { taxId { number } name staff { id email } } } } }',
  ],
  ['a composite key with an entity in it', '{ warehouse(site: "v1") { zone capacity site { id name } } }'],
  [
    'a null for an entity that is not there',
    '{ warehouse(site: "v9", zone: "Z") { capacity site { name } } }',
  ],
  [
    'a key with a list, and one with a list of objects',
    '{ bundles { ids lots { no } pieces { id name } pickup { name } origin } }',
  ],
  ['only the key with a list', '{ bundles { pickup { id } } }'],
  ['only the key with a list of objects', '{ bundles { origin } }'],
  ['a key with lists of lists', '{ grids { cells area owner { name } } }'],
  ['only the key with lists of lists', '{ grids { area } }'],
  ['lists of lists of entities', '{ shelves { id name stock reviews { stars author { name } } } }'],
  [
    'lists of lists of entities behind an interface',
    '{ offers { items { price { amount } ... on Film { name } ... on Book { name isbn } } } }',
  ],
  [
    'lists of lists of values with entities in them',
    '{ products(ids: ["g1"]) { ... on Gadget { parts { sku spare { name stock } } } } }',
  ],
  ['entities in nested lists of values', '{ venues { seats { row holder { name age } } hours } }'],
  [
    'the same entity many times in a list',
    '{ reviews { id author { id name } writer { id name age } product { id name } } }',
  ],
  [
    'a circle of entities',
    '{ user(id: "u1") { friends { friends { name boss { name reviews { stars } } } } } }',
  ],
  [
    'a long chain of subgraphs',
    '{ reviews { product { maker { ... on Company { site { warehouses { holds { best { author { basket { name } } } } } } } } } } }',
  ],
  ['a field that several subgraphs have at the root', '{ now }'],
  [
    'root fields of several subgraphs at once',
    '{ now offers { id } grids { cells } scanned { id } priced { __typename } }',
  ],
  [
    'a root field that two subgraphs share',
    '{ user(id: "u3") { name reviews { id } address { street city { name zip } } } }',
  ],
  ['a moved field', '{ scanned { id pages scans { page } } }'],
  ['a moved field beside the one that stayed', '{ book(isbn: "isbn-b2") { pages scans { page } } }'],
  [
    'a value type of several subgraphs',
    '{ user(id: "u1") { address { street city { name zip } } } venues { address { street city { name } } } }',
  ],
  [
    'a value type that each has a part of',
    '{ products { dims { width height depth unit } shelf { row column label } } }',
  ],
  [
    'entities that two fetches share, of which each has another field by one name',
    '{ a: users { reviews { id product { x: name } } } b: users { reviews { id product { x: stock } } } }',
  ],
  ['a provided field', '{ reviews { author { name } } }'],
  ['a provided field beside one that is not', '{ reviews { author { name age } writer { name } } }'],
  [
    'a field that is provided from the root',
    '{ topReviews(first: 3) { writer { name } author { name email } } }',
  ],
  ['a provided field in an answer of many', '{ reviewed { best { author { name email karma } } } }'],
  ['an entity through an input of a list', '{ products(ids: ["b1", "b1", "f1", "none"]) { id name stock } }'],
  ['an empty list of entities', '{ products(ids: []) { id stock } }'],
];
