import type { Hints } from '../oracle/generate.js';

const products = ['b1', 'b2', 'b3', 'f1', 'f2', 'g1', 'g2', 'g3', 'p1', 'none'];

/** Arguments that find something in the bazaar, and some that find nothing. */
const samples: Hints['samples'] = {
  id: products,
  ids: products,
  product: products,
  'Query.user.id': ['u1', 'u2', 'u3', 'u4', 'u5', 'u6', 'u7', 'none'],
  'Mutation.promote.id': ['u1', 'u2', 'u4', 'none'],
  'Query.review.id': ['review1', 'review2', 'review3', 'none'],
  'Query.venue.id': ['v1', 'v2', 'v3', 'v4'],
  'Mutation.reprice.id': ['o1', 'o2', 'o3', 'none'],
  'Mutation.renameProduct.id': [...products, 'fail'],
  site: ['v1', 'v3', 'v9'],
  zone: ['A', 'B', 'C'],
  venue: ['v1', 'v9'],
  email: ['u1@x.org', 'u2@x.org', 'u4@x.org', 'u6@x.org', 'u7@x.org', 'none'],
  isbn: ['isbn-b1', 'isbn-b2', 'isbn-b3', 'none'],
  sku: ['s1', 's2', ''],
  market: ['eu', 'us', 'xx', 'none'],
  country: ['de', 'us'],
  number: [0, 1, 3],
  min: [0, 1, 3],
  max: [0, 200, 5000],
  first: [0, 1, 2, 5],
  tag: ['a', 'b'],
  Int: [0, 1, 2, 40],
  Float: [0, 1.5, 3],
  Boolean: [true, false],
  String: ['', 'text', 'M', '"quoted"\n{'],
  Date: ['2026-01-01'],
};

/**
 * What Apollo's planner takes many seconds for, or throws at: fields of an interface object that require others,
 * asked for on one implementation, and fragments on another interface inside of one that has interface objects. Where
 * faults are about, ApolloGateway cannot be asked for that in other words.
 */
const avoided: Hints['avoided'] = new Set([
  ...['Book', 'Film', 'Gadget'].flatMap((type) => [`${type}.shipping`, `${type}.boxes`, `${type}.demand`]),
  ...['Named', 'Priced'].map((type) => `Product...${type}`),
]);

export const hints: Hints = { samples, avoided };
