import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { operationOf } from '../execute/selections.js';
import { refuseExpansion } from './expansion.js';

function refusal(query: string): string | undefined {
  const { operation, fragments } = operationOf(parse(query), undefined);
  return refuseExpansion(operation, fragments)?.message;
}
const long = (characters: number) => `f(a: "${'x'.repeat(characters)}")`;

test('an operation has 10,000 selections at most, those of fragments wherever they are used', () => {
  const spread = (times: number) => `{ ${'...F '.repeat(times)} } fragment F on Query { a { b } }`;
  expect(refusal(spread(3_333))).toBeUndefined();
  expect(refusal(spread(3_334))).toMatch('at most 10000 selections');
});

test('an argument as long as a request may be is no longer for being in a fragment, and is not used over and over', () => {
  const spread = (times: number, inner = '') =>
    `{ ${'...F '.repeat(times)} } fragment F on Query { ${inner || long(900_000)} }`;
  expect(refusal(spread(1))).toBeUndefined();
  expect(refusal(spread(2))).toMatch('at most 1048576 characters');
  expect(refusal(spread(500, long(1_000)))).toBeUndefined();
  expect(refusal(spread(1_100, long(1_000)))).toMatch('at most 1048576 characters');
  const nested = `{ ...F ...F } fragment F on Query { a { ...G } a { ...G } } fragment G on A { ${long(300_000)} }`;
  expect(refusal(nested)).toMatch('at most 1048576 characters');
  const directive = `{ ${`...F @d(a: "${'x'.repeat(100)}") `.repeat(9)} } fragment F on Query { ${long(120_000)} }`;
  expect(refusal(directive)).toMatch('at most 1048576 characters');
});

test('what is not repeated may be as long as it comes', () => {
  expect(refusal(`{ ${long(2_000_000)} }`)).toBeUndefined();
  expect(refusal(`{ ...F } fragment F on Query { ${long(2_000_000)} }`)).toBeUndefined();
});
