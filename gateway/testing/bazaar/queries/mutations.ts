import type { NamedQuery } from '../queries.js';

/** Mutations run one after the other, wherever they are. */
export const mutationQueries: readonly NamedQuery[] = [
  ['one', 'mutation { touchCatalog(tag: "a") { entries } }'],
  [
    'two of one subgraph',
    'mutation { a: touchCatalog(tag: "a") { entries } b: touchCatalog(tag: "b") { entries } }',
  ],
  [
    'several of several subgraphs',
    'mutation { a: touchCatalog(tag: "a") { entries } b: touchStock(tag: "b") { entries } c: touchCatalog(tag: "c") { entries } d: touchPrices(tag: "d") { entries } }',
  ],
  [
    'the same field in turn',
    'mutation { c: touchPeople(tag: "1") { entries } a: touchReviews(tag: "2") { entries } b: touchPeople(tag: "3") { entries } }',
  ],
  ['entities', 'mutation { renameProduct(id: "b1", name: "Other") { id name stock rating } }'],
  [
    'entities between others',
    'mutation { a: touchStock(tag: "a") { entries } renameProduct(id: "b1") { name stock } b: touchStock(tag: "b") { entries } }',
  ],
  [
    'inputs',
    'mutation ($input: ReviewInput!) { addReview(input: $input) { id body stars product { name stock } author { name age } } }',
    { input: { product: 'b1', body: 'Fine', moods: [['GLAD'], null] } },
  ],
  ['type names', 'mutation { __typename kind: __typename promote(id: "u1") { __typename role karma } }'],
  [
    'conditions',
    'mutation ($a: Boolean!) { a: touchCatalog(tag: "a") @skip(if: $a) { entries } b: touchStock(tag: "b") @include(if: $a) { entries } c: touchPeople(tag: "c") { entries } }',
    { a: true },
  ],
  [
    'conditions, the other way',
    'mutation ($a: Boolean!) { a: touchCatalog(tag: "a") @skip(if: $a) { entries } b: touchStock(tag: "b") @include(if: $a) { entries } c: touchPeople(tag: "c") { entries } }',
    { a: false },
  ],
  [
    'fields that merge',
    'mutation { reprice(id: "o1", amount: 2.5) { price { amount } } reprice(id: "o1", amount: 2.5) { left } }',
  ],
  [
    'one that fails, and those after it',
    'mutation { a: touchCatalog(tag: "a") { entries } renameProduct(id: "fail") { id } b: touchCatalog(tag: "b") { entries } }',
  ],
  [
    'one that finds nothing',
    'mutation { promote(id: "none") { name karma } reprice(id: "none", amount: 1) { left } }',
  ],
];
