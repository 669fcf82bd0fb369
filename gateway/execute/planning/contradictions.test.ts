import { parse, print } from 'graphql';
import { expect, test } from 'vitest';
import { withoutContradictions } from './contradictions.js';

const left = (query: string) => print(withoutContradictions(parse(query))).replace(/\s+/g, ' ');

test.each([
  ['of a field', '{ x y @skip(if: $a) @include(if: $a) }', '{ x }'],
  ['within a fragment', '{ x ... @skip(if: $a) { y @include(if: $a) z } }', '{ x ... @skip(if: $a) { z } }'],
  [
    'all of a fragment',
    '{ x ... on Query @skip(if: $a) { ... @include(if: $b) { y @include(if: $a) } } }',
    '{ x }',
  ],
  [
    'all of a field',
    '{ o @skip(if: $a) { x @include(if: $a) } }',
    '{ o @skip(if: $a) { ... @skip(if: true) { __typename } } }',
  ],
  ['all of an operation', '{ x @skip(if: $a) @include(if: $a) }', '{ ... @skip(if: true) { __typename } }'],
  [
    'in one place where a fragment is used',
    '{ ...F o @include(if: $a) { ...F @skip(if: $b) } } fragment F on Query { x @skip(if: $a) y }',
    '{ ...F o @include(if: $a) { ... on Query @skip(if: $b) { y } } } fragment F on Query { x @skip(if: $a) y }',
  ],
])('what conditions never let be there is left out: %s', (_what, query, expected) => {
  expect(left(query)).toBe(expected);
});

test.each([
  '{ x @skip(if: $a) y @include(if: $a) }',
  '{ ... @skip(if: $a) { x } ... @include(if: $a) { x } }',
  '{ o @skip(if: $a) { x @skip(if: $a) y @include(if: $b) z @include(if: true) } }',
])('what may be there stays: %s', (query) => {
  expect(left(query)).toBe(query);
});
