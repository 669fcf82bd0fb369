import type { NamedQuery } from '../queries.js';

/** What the query language itself can do. */
export const languageQueries: readonly NamedQuery[] = [
  ['an alias', '{ b: book(isbn: "isbn-b1") { title: name } }'],
  ['one field twice under aliases', '{ book(isbn: "isbn-b1") { grams: weight kilos: weight(unit: KILO) } }'],
  ['one entity twice', '{ a: user(id: "u1") { name karma } b: user(id: "u1") { age karma } }'],
  [
    'aliases that are names of other fields',
    '{ user(id: "u1") { id: email email: id name: age age: name karma } }',
    undefined,
    { data: { user: { id: 'u1@x.org', email: 'u1', name: 36, age: 'Ada', karma: 360 } } },
  ],
  [
    'aliases that every object has',
    '{ user(id: "u1") { constructor: name toString: karma hasOwnProperty: discount valueOf: region } }',
  ],
  ['an alias __proto__', '{ user(id: "u1") { __proto__: name karma } }'],
  ['aliases of keys', '{ products { key: id ... on Book { code: isbn price { amount } } stock } }'],
  [
    'an alias that is the name of a key',
    '{ products(ids: ["b1", "f1"]) { id: name stock } }',
    undefined,
    {
      data: {
        products: [
          { id: 'Kim', stock: 5 },
          { id: 'Metropolis', stock: 2 },
        ],
      },
    },
  ],
  [
    'an alias that is the name of a key, of another type',
    '{ users { email: age karma } }',
    undefined,
    {
      data: {
        users: [
          [36, 360],
          [0, 0],
          [null, null],
          [50, 500],
          [20, 200],
          [41, null],
        ].map(([email, karma]) => ({ email, karma })),
      },
    },
  ],
  [
    'an alias that is the name of a key in a key',
    '{ offers { market { code: title } left } }',
    undefined,
    {
      data: {
        offers: [
          ['Europe', 3],
          [null, 0],
          ['Nowhere', null],
          ['Europe', 7],
        ].map(([code, left]) => ({ market: { code }, left })),
      },
    },
  ],
  [
    'an alias that is the name of an entity in a key',
    '{ offers { market: id left } }',
    undefined,
    {
      data: {
        offers: [
          ['o1', 3],
          ['o2', 0],
          ['o3', null],
          ['o4', 7],
        ].map(([market, left]) => ({ market, left })),
      },
    },
  ],
  ['an alias that is the name of a provided field', '{ reviews { author { name: email } } }'],
  [
    'the order of fragments that are alike',
    '{ ... on Query { ... { archiveStatus } catalogStatus ... { reviewStatus } } }',
    undefined,
    { data: { archiveStatus: 'LOST', catalogStatus: 'CLOSED', reviewStatus: 'MODERATED' } },
  ],
  [
    'fields that merge',
    '{ user(id: "u1") { name friends { id } name friends { karma } friends { id reviews { id } } } }',
  ],
  [
    'fields that merge over fragments',
    '{ user(id: "u1") { ...A ...B address { street } } } fragment A on User { address { city { name } } } fragment B on User { address { city { zip } } karma }',
  ],
  [
    'fragments in fragments',
    '{ products { ...P } } fragment P on Product { id ...N ... on Book { ...B } } fragment N on Named { name } fragment B on Book { price { ...M } } fragment M on Money { amount currency }',
  ],
  ['inline fragments without a type', '{ user(id: "u1") { ... { name ... { karma } } } }'],
  [
    'the order of what is asked',
    '{ user(id: "u1") { reviews { stars id } karma name discount id address { city { zip } } } }',
  ],
  [
    'the order of what merges',
    '{ user(id: "u1") { karma ... on User { name id } id address { street } discount address { city { name } } } }',
  ],
  [
    '@skip and @include',
    '{ user(id: "u1") { name @skip(if: true) age @include(if: true) karma @include(if: false) id @skip(if: false) } }',
  ],
  [
    '@skip and @include by variables',
    'query ($a: Boolean!, $b: Boolean = true) { user(id: "u1") { name @skip(if: $a) karma @include(if: $b) discount @include(if: $a) age @skip(if: $b) id } }',
    { a: true },
  ],
  [
    'the same, the other way',
    'query ($a: Boolean!, $b: Boolean = true) { user(id: "u1") { name @skip(if: $a) karma @include(if: $b) discount @include(if: $a) age @skip(if: $b) id } }',
    { a: false, b: false },
  ],
  [
    '@skip and @include on fragments',
    'query ($a: Boolean!) { products { id ... on Book @include(if: $a) { price { amount } } ... @skip(if: $a) { stock } ...F @skip(if: $a) } } fragment F on Product { rating }',
    { a: true },
  ],
  [
    'the same, the other way round',
    'query ($a: Boolean!) { products { id ... on Book @include(if: $a) { price { amount } } ... @skip(if: $a) { stock } ...F @skip(if: $a) } } fragment F on Product { rating }',
    { a: false },
  ],
  [
    'both on one field',
    'query ($a: Boolean!, $b: Boolean!) { user(id: "u1") { id karma @skip(if: $a) @include(if: $b) } }',
    { a: false, b: true },
  ],
  [
    '@skip at the root',
    'query ($a: Boolean!) { now @skip(if: $a) user(id: "u1") @include(if: $a) { karma } }',
    { a: true },
  ],
  ['@skip of all there is', '{ user(id: "u1") { name @skip(if: true) } }'],
  ['@skip of everything at the root', '{ now @skip(if: true) }'],
  ['@skip of everything of a mutation', 'mutation { promote(id: "u1") @skip(if: true) { id } }'],
  [
    '@skip of all there is of an interface object, of which one is of a hidden type',
    '{ stocked { ... on Product @skip(if: true) { name } } }',
  ],
  [
    'fragments on members that are empty',
    `{ stocked { ...A ... on Film { minutes @include(if: false) } } }
     fragment A on Product { ... on Named { ...B } ...B } fragment B on Book { pages @include(if: false) }`,
  ],
  [
    'conditions in conditions',
    'query ($a: Boolean!, $b: Boolean!) { user(id: "u1") @include(if: $a) { id friends @include(if: $b) { karma @skip(if: $b) discount @include(if: $a) } } }',
    { a: true, b: true },
  ],
  [
    'one field with and without a condition',
    'query ($a: Boolean!) { user(id: "u1") { karma @include(if: $a) karma address @skip(if: $a) { street } address { city { name } } } }',
    { a: true },
  ],
  [
    'variables',
    'query ($id: ID!, $min: Int, $unit: Unit = KILO) { product(id: $id) { weight(unit: $unit) best { author { reviews(min: $min) { stars } } } } }',
    { id: 'b1', min: 3 },
  ],
  [
    'variables that are left out',
    'query ($id: ID!, $min: Int, $unit: Unit = KILO) { product(id: $id) { weight(unit: $unit) best { author { reviews(min: $min) { stars } } } } }',
    { id: 'b1' },
  ],
  [
    'variables that are null',
    'query ($first: Int, $filter: ProductFilter) { products(filter: $filter, first: $first) { id } }',
    { first: null, filter: null },
  ],
  [
    'variables in inputs',
    'query ($min: Int, $kinds: [Kind!]) { products(filter: { kinds: $kinds, weight: { min: $min } }) { id weight } }',
    { min: 200, kinds: ['BOOK', 'FILM'] },
  ],
  [
    'variables of inputs with defaults',
    'query ($filter: ProductFilter = { kinds: [FILM] }) { products(filter: $filter) { id } }',
  ],
  [
    'a single value for a list',
    'query ($ids: [ID!]) { products(ids: $ids) { id stock } a: products(ids: "f1") { id } }',
    { ids: 'b1' },
  ],
  [
    'a variable in two subgraphs',
    'query ($m: Int) { user(id: "u1") { friends(first: $m) { reviews(min: $m) { stars } } } }',
    { m: 1 },
  ],
  [
    'a variable that is named like one of federation',
    'query ($representation: ID!) { user(id: $representation) { karma } }',
    { representation: 'u1' },
  ],
  [
    'arguments with defaults, given and not',
    '{ book(isbn: "isbn-b1") { a: price { amount currency } b: price(currency: USD) { amount currency } c: price(currency: null) { amount } } }',
  ],
  ['several operations and none named', 'query One { now } query Two { catalogStatus }'],
  [
    'introspection beside data',
    '{ __schema { queryType { name } } now __type(name: "Money") { name fields { name } } }',
  ],
  [
    'introspection by a variable',
    'query ($name: String!) { __type(name: $name) { kind possibleTypes { name } enumValues { name } } }',
    { name: 'Media' },
  ],
  [
    'introspection of what is inaccessible',
    '{ a: __type(name: "Prototype") { name } b: __type(name: "Role") { enumValues { name } } c: __type(name: "Book") { fields { name } } }',
  ],
  ['introspection alone, aliased', '{ constructor: __schema { directives { name } } }'],
  ['a field that is not there', '{ nothing }'],
  ['a variable of the wrong type', 'query ($id: ID!) { product(id: $id) { id } }', { id: { a: 1 } }],
  ['a variable that is missing', 'query ($id: ID!) { product(id: $id) { id } }'],
  ['no document', '{'],
  [
    'a field at the root of which all is left out',
    'query ($v0: Boolean!) { company(country: "us", number: 1) @include(if: $v0) { staff @skip(if: $v0) { email } } }',
    { v0: true },
  ],
  [
    'an object that one subgraph knows and another does not',
    '{ user(email: "u7@x.org") { reviews { id } age } }',
  ],
  [
    'a field of an interface object that requires others, on a condition',
    '{ priced { ... on Product { shelf { row } shipping @include(if: true) } } }',
  ],
  [
    'a field with a condition, all of which may be left out',
    'query ($v0: Boolean!, $v1: Boolean!) { venues { holdings @skip(if: $v0) { volume @include(if: $v1) } } }',
    { v0: false, v1: true },
  ],
  [
    'a field with a condition, all of which is left out',
    'query ($v0: Boolean!, $v1: Boolean!) { venues { holdings @skip(if: $v0) { volume @include(if: $v1) } } }',
    { v0: false, v1: false },
  ],
  [
    'a field with a condition, of which only the type may be left out',
    'query ($v0: Boolean!) { venues { holdings @skip(if: $v0) { __typename @include(if: false) } } }',
    { v0: false },
    {
      data: {
        venues: [
          { holdings: [{}, {}, {}] },
          { holdings: null },
          null,
          { holdings: null },
          { holdings: [{}, {}, {}] },
        ],
      },
    },
  ],
];
