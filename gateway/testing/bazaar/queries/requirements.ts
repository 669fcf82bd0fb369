import type { NamedQuery } from '../queries.js';

const conflict =
  'Book.postage and Book.freight need Book.weight with different arguments: ask for them in two operations.';

const conflictOfInterface =
  'Product.shipping and Book.freight need Book.weight with different arguments: ask for them in two operations.';

const reviewsOf = { u1: [1, 5], u2: [2], u3: [], u4: [], u5: [6] };
const leftOut = {
  users: [
    ...Object.entries(reviewsOf).map(([name, numbers]) => ({
      email: `${name}@x.org`,
      reviews: numbers.map((number) => ({ id: `review${number}` })),
    })),
    null,
  ],
};

/** `@requires`, and `@interfaceObject`. */
export const requirementQueries: readonly NamedQuery[] = [
  ['a required field', '{ user(email: "u1@x.org") { karma } }'],
  ['a required field that is null', '{ users { email karma } }'],
  ['a required nested value', '{ users { email region } }'],
  ['required fields of a value', '{ priced { ... on Book { volume } } }'],
  ['required fields through lists', '{ book(isbn: "isbn-b1") { typesetting } }'],
  ['required fields through lists with nulls', '{ products { ... on Book { id typesetting } } }'],
  ['required fields of entities in a list', '{ products { ... on Book { royalties { amount currency } } } }'],
  ['a required field with an argument', '{ book(isbn: "isbn-b1") { postage } }'],
  ['the same with another argument', '{ book(isbn: "isbn-b1") { freight } }'],
  ['both at once', '{ book(isbn: "isbn-b1") { postage freight } }', undefined, { refusal: conflict }],
  [
    'both at once beside the field itself',
    '{ book(isbn: "isbn-b1") { weight(unit: KILO) postage freight } }',
    undefined,
    { refusal: conflict },
  ],
  [
    'one at once with that of an interface object',
    '{ scarce { shipping ... on Book { freight } } }',
    undefined,
    { refusal: conflict.replace('Book.postage', 'Product.shipping') },
  ],
  [
    'both on conditions, of which one holds',
    'query ($no: Boolean = false) { book(isbn: "isbn-b1") { postage @skip(if: $no) freight @include(if: $no) } }',
    undefined,
    { data: { book: { postage: 4800 } } },
  ],
  [
    'both on conditions that hold',
    'query ($no: Boolean = false) { book(isbn: "isbn-b1") { postage @skip(if: $no) freight @skip(if: $no) } }',
    undefined,
    { refusal: conflict },
  ],
  [
    'fields that require what one subgraph has, of which one is left out',
    'query ($no: Boolean = false) { users { email karma @skip(if: $no) region @include(if: $no) } }',
    undefined,
    {
      data: {
        users: [360, 0, null, 500, 200, null].map((karma, at) => ({
          email: `u${[1, 2, 3, 4, 5, 7][at]}@x.org`,
          karma,
        })),
      },
    },
  ],
  [
    'the same of an interface object',
    'query ($no: Boolean = false) { stocked { boxes @skip(if: $no) shipping @include(if: $no) } }',
    undefined,
    { data: { stocked: [...[24, 25, 26, null, null, null].map((boxes) => ({ boxes })), null] } },
  ],
  [
    'both at once, apart',
    '{ book(isbn: "isbn-b1") { sequel { freight } postage } products { ... on Book { freight } } }',
  ],
  [
    'a required field under an alias of its own',
    '{ book(isbn: "isbn-b1") { weight: pages w: weight postage } }',
    undefined,
    { data: { book: { weight: 300, w: 2400, postage: 4800 } } },
  ],
  [
    'a required value under an alias',
    '{ book(isbn: "isbn-b1") { dims: chapters { title } volume } }',
    undefined,
    { data: { book: { dims: [{ title: 'Start' }, { title: 'End' }], volume: 9 } } },
  ],
  ['a required field that may not be null', '{ priced { ... on Film { rental { amount currency } } } }'],
  [
    'required fields at different depths',
    '{ offers { item { ... on Book { postage volume } ... on Film { rental { amount } } } } }',
  ],
  ['interface objects', '{ stocked { id stock shelf { row } } }'],
  ['the type name of interface objects', '{ stocked { __typename id stock } }'],
  ['the type name of interface objects, aliased', '{ stocked { kind: __typename stock } }'],
  ['fields of the interface for interface objects', '{ stocked { name weight stock } }'],
  [
    'fragments on implementations of interface objects',
    '{ stocked { id ... on Book { isbn pages } ... on Film { minutes } } }',
  ],
  ['fragments alone on interface objects', '{ stocked { ... on Film { minutes stock } } }'],
  ['interface objects of two subgraphs', '{ stocked { stock rating reviews { stars } } }'],
  ['interface objects of two subgraphs, and the interface', '{ reviewed { __typename name stock rating } }'],
  [
    'fields of interface objects on implementations',
    '{ book(isbn: "isbn-b1") { stock rating shipping best { body } } }',
  ],
  [
    'fields of interface objects on the interface',
    '{ product(id: "f1") { stock rating reviews(first: 1) { id product { __typename id } } } }',
  ],
  ['interface objects that require fields of the interface', '{ stocked { shipping boxes } }'],
  [
    'what conditions never let be there, beside what they do',
    'query ($no: Boolean = false) { stocked @skip(if: $no) { id ...B @include(if: $no) } } fragment B on Book { freight shipping }',
    undefined,
    { data: { stocked: ['b1', 'b2', 'f1', 'f2', 'g1', 'g3', 'p1'].map((id) => ({ id })) } },
  ],
  [
    'the type of an interface object on a condition that does not hold',
    'query ($no: Boolean = false) { stocked { ... on Product @include(if: $no) { ... on Gadget { boxes } } demand } }',
    undefined,
    { data: { stocked: [450, 450, 450, null, 450, null, 450].map((demand) => ({ demand })) } },
  ],
  ['interface objects that require fields of another interface object', '{ stocked { demand } }'],
  [
    'interface objects of one type that require fields of another interface object',
    '{ reviewed { ... on Book { demand } } }',
    undefined,
    { data: { reviewed: [{ demand: 450 }, {}, { demand: 450 }, { demand: null }, {}] } },
  ],
  [
    'interface objects that require, with an argument',
    '{ products { id fast: shipping(express: true) slow: shipping } }',
  ],
  [
    'interface objects that require, beside an argument',
    '{ products { weight(unit: KILO) shipping } }',
    undefined,
    {
      data: {
        products: [
          [2, 2400],
          [0, 0],
          [null, null],
          [0, 150],
          [0, 150],
          [1, 900],
          [0, 199],
          [1, 1000],
        ].map(([weight, shipping]) => ({ weight, shipping })),
      },
    },
  ],
  [
    'interface objects nested in interface objects',
    '{ stocked { warehouses { holds { stock name } } best { product { stock name } } } }',
  ],
  [
    'an interface object and an implementation that require a field with different arguments',
    '{ book(isbn: "isbn-b1") { freight shipping } }',
    undefined,
    { refusal: conflictOfInterface },
  ],
  [
    'the same where one of them is left out whatever the variables are',
    '{ reviewed { shipping ... on Book @include(if: false) { freight } } }',
    undefined,
    { data: { reviewed: [2400, 150, 2400, null, 900].map((shipping) => ({ shipping })) } },
  ],
  [
    'the same in a list of the interface',
    '{ products { shipping ... on Book { freight } } }',
    undefined,
    { refusal: conflictOfInterface },
  ],
  [
    'the same of objects of different types, whose plan asks for both of one',
    '{ products { ... on Film { id shipping } ... on Book { isbn freight } } }',
    undefined,
    { refusal: conflictOfInterface },
  ],
  [
    'two fields that require a field alike, one of them by its default',
    '{ products { id ... on Book { postage shipping } } }',
  ],
  ['the same beside the field', '{ products { ... on Book { postage weight shipping } } }'],
  [
    'the same, required on the interface and on an implementation',
    '{ products { shipping ... on Book { postage } } }',
  ],
  [
    'a field that requires, left out beside others of its subgraph',
    'query ($no: Boolean!) { users { email reviews { id } karma @skip(if: $no) } }',
    { no: true },
    { data: leftOut },
  ],
  [
    'the same for good',
    '{ users { email reviews { id } karma @skip(if: true) } }',
    undefined,
    { data: leftOut },
  ],
  [
    'a field that requires, not left out beside others of its subgraph',
    'query ($no: Boolean!) { users { email reviews { id } karma @skip(if: $no) } }',
    { no: false },
  ],
  ['one interface object', '{ scarce { __typename id name stock } }'],
  [
    'one interface object whose type is asked for, and a key of its own under an alias',
    '{ scarce { ... on Film { a2: id best { created } } t1: __typename } }',
    undefined,
    { data: { scarce: { a2: 'f2', best: null, t1: 'Film' } } },
  ],
  ['interface objects without a member that is hidden', '{ stocked { id name related { id stock } } }'],
  [
    'interface objects with a fragment on another interface',
    '{ stocked { ... on Named { name } } }',
    undefined,
    {
      data: {
        stocked: [...['Kim', 'Emma', 'Metropolis', 'M', 'Lamp', 'Radio'].map((name) => ({ name })), null],
      },
    },
  ],
  [
    'required fields of an interface object in a fragment',
    '{ stocked { ... on Book { boxes volume } ... on Gadget { shipping voltage } } }',
  ],
  [
    'the type name of what an interface object adds to',
    '{ scanned { best { stars } __typename } }',
    undefined,
    {
      data: {
        scanned: [
          { best: { stars: 5 }, __typename: 'Book' },
          { best: { stars: 4 }, __typename: 'Book' },
          null,
          { best: null, __typename: 'Book' },
        ],
      },
    },
  ],
  [
    'a field of all objects beside one that requires, of some',
    '{ products { id shelf { row } ... on Book { shipping } } }',
    undefined,
    {
      data: {
        products: [
          { id: 'b1', shelf: { row: 1 }, shipping: 2400 },
          { id: 'b2', shelf: null, shipping: 0 },
          { id: 'b3', shelf: null, shipping: null },
          { id: 'f1', shelf: { row: null } },
          ...['f2', 'g1', 'g2', 'g3'].map((id) => ({ id, shelf: null })),
        ],
      },
    },
  ],
  [
    'a field beside one that requires, which is asked for below some objects',
    '{ product(id: "f1") { related { shelf { row } } ... on Gadget { related { shipping } } } }',
    undefined,
    { data: { product: { related: [{ shelf: { row: 1 } }, { shelf: { row: null } }, { shelf: null }] } } },
  ],
  [
    'a required field beside the same with an argument, on another type',
    '{ media { ... on Book { freight } ... on Product { weight } } }',
    undefined,
    {
      data: {
        media: [
          { freight: 2000, weight: 2400 },
          { weight: 150 },
          null,
          {},
          null,
          { freight: 2000, weight: 2400 },
          {},
          { weight: 150 },
        ],
      },
    },
  ],
  ['interface objects through a mutation', 'mutation { restock(id: "b1") { id name stock __typename } }'],
];
