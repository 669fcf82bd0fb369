import type { NamedQuery } from '../queries.js';

/** Interfaces, unions, enums, scalars, and what is inaccessible. */
export const typeQueries: readonly NamedQuery[] = [
  ['an interface', '{ products { __typename id name } }'],
  [
    'an interface with fragments',
    '{ products { id ... on Book { pages } ... on Film { minutes } ... on Gadget { voltage } } }',
  ],
  ['an interface of several subgraphs', '{ named { __typename name } people { __typename id name email } }'],
  [
    'an interface whose members are entities elsewhere',
    '{ products { ... on Film { stars { __typename id name email } } } }',
  ],
  [
    'an interface in an interface',
    '{ products { ... on Named { name } related { ... on Named { name } } } }',
  ],
  ['an interface that one subgraph has', '{ priced { __typename price { amount } ... on Film { name } } }'],
  [
    'a union',
    '{ media { __typename ... on Book { isbn } ... on Film { minutes } ... on Poster { artist { name } } } }',
  ],
  ['a union with an interface', '{ media { ... on Named { name } ... on Product { weight } } }'],
  ['a union of type names alone', '{ media { __typename } }'],
  [
    'a union with aliases of type names',
    '{ media { a: __typename b: __typename ... on Book { c: __typename } } }',
  ],
  [
    'a union of entities of other subgraphs',
    '{ products { maker { ... on User { name age } ... on Company { name } } } }',
  ],
  [
    'a union that two subgraphs tell apart',
    '{ reviews { subject { __typename ... on User { name } ... on Venue { name } } } subjects { __typename ... on Film { name } ... on Venue { name } } }',
  ],
  [
    'a union with fields that differ by member',
    '{ venues { host { ... on User { title: name } ... on Robot { title: model } ... on Company { title: name } } } }',
  ],
  [
    'a field that differs by what holds its object',
    '{ products(ids: ["b1", "f1"]) { ... on Book { related(first: 1) { reviews(first: 1) { id } } } ... on Film { related(first: 1) { reviews(first: 2) { id } } } } }',
    undefined,
    {
      data: {
        products: [
          { related: [{ reviews: [{ id: 'review2' }] }] },
          { related: [{ reviews: [{ id: 'review1' }, { id: 'review4' }] }] },
        ],
      },
    },
  ],
  ['a union in a third subgraph', '{ scanned { lender { ... on User { name } ... on Venue { name } } } }'],
  ['a union of which no member is asked for', '{ scanned { lender { ... on Venue { holdings { id } } } } }'],
  [
    'type names everywhere',
    '{ __typename book(isbn: "isbn-b1") { __typename dims { __typename } price { __typename } authors { __typename address { __typename } } } }',
  ],
  ['type names aliased at the root', '{ kind: __typename now }'],
  ['nothing but the type name of the root', '{ __typename }'],
  ['a member that is inaccessible, in an interface', '{ products { id related { __typename id } } }'],
  ['a member that is inaccessible, in a list', '{ product(id: "p1") { id } shelves { __typename name } }'],
  ['an enum value that is inaccessible', '{ users { id role } }'],
  ['an enum value that is inaccessible, nullable above', '{ user(id: "u4") { id role } }'],
  ['an enum that subgraphs answer differently', '{ catalogStatus reviewStatus archiveStatus }'],
  [
    'an enum that subgraphs take differently',
    '{ user(email: "u1@x.org") { reviews(filter: { mood: GLAD }) { mood } basket(filter: { role: ADMIN }, by: { mood: SAD }) { id } } }',
  ],
  ['custom scalars', '{ users { birthday prefs } media { ... on Poster { meta } } }'],
  ['lists of lists of scalars', '{ products { codes } venues { hours } }'],
  ['lists with nulls in them', '{ users { nicknames } markets { code } offers { reserved } }'],
  [
    'fields of the same name on members',
    '{ media { ... on Book { name dims { width } } ... on Poster { name dims { height } } } }',
  ],
  [
    'an interface whose fields come from two subgraphs',
    '{ products { name stock ... on Book { price { amount } } ... on Film { price(currency: USD) { amount } } } }',
  ],
  [
    'an entity behind a union behind a union',
    '{ media { ... on Film { basedOn { ... on Book { price { amount } } ... on Film { name } } } } }',
  ],
];
