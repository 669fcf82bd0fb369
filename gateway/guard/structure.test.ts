import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { operationOf } from '../execute/selections.js';
import { isCircular, refuseStructure } from './structure.js';

const limits = { depth: 4, aliases: 3, rootFields: 5, directives: 2 };
const refusal = (query: string) => refuseStructure(operationOf(parse(query), undefined), limits)?.message;

test.each([
  ['levels of fields', '{ a { b { c { d } } } }', '{ a { b { c { d { e } } } } }'],
  [
    'levels of fields',
    '{ a { ...f } } fragment f on A { b { ... { c { d } } } }',
    '{ a { b { ...f } } } fragment f on A { b { c { d } } }',
  ],
  ['aliases', '{ x: a y: a z: a }', '{ x: a y: a z: a w: a }'],
  [
    'aliases',
    '{ a { ...f } b { ...f } } fragment f on A { x: a }',
    '{ ...f ...f ...f ...f } fragment f on A { x: a }',
  ],
  [
    'characters in an alias',
    `{ ${'x'.repeat(200)}: a }`,
    `{ a { ...f } } fragment f on A { ${'x'.repeat(201)}: a }`,
  ],
  ['fields at its root', '{ a b c ... { d e } }', '{ a b c ...f } fragment f on Query { a ... { b c } }'],
  ['directives', '{ a @x { b @x } }', '{ a @x @y { ...f @x } } fragment f on A { b }'],
])('%s: %s is allowed, %s is not', (what, allowed, refused) => {
  expect(refusal(allowed)).toBeUndefined();
  expect(refusal(refused)).toMatch(
    new RegExp(`at most ${what === 'aliases' ? 3 : '\\d+'} ${what}; this one has \\d`),
  );
});

test('0 is no limit', () => {
  const none = { depth: 0, aliases: 0, rootFields: 0, directives: 0 };
  const deep = `${'{ x: a '.repeat(200)}${'}'.repeat(200)}`;
  expect(refuseStructure(operationOf(parse(deep), undefined), none)).toBeUndefined();
});

test('fragments that are inside themselves are told, however they are', () => {
  const circular = (query: string) => isCircular(operationOf(parse(query), undefined).fragments);
  expect(circular('{ ...f } fragment f on A { a { ...f } }')).toBe(true);
  expect(circular('{ a } fragment f on A { ...g } fragment g on A { ... { b { ...f } } }')).toBe(true);
  expect(circular('{ ...f ...g } fragment f on A { ...g ...g ...none } fragment g on A { a }')).toBe(false);
  const all = Array.from({ length: 30 }, (_, n) => n);
  const knot = all.map((n) => `fragment f${n} on A { ${all.map((other) => `...f${other}`).join(' ')} }`);
  expect(circular(`{ ...f0 } ${knot.join(' ')}`)).toBe(true);
});

test('fragments that go in circles, or double themselves a hundred times, are counted at once', () => {
  expect(refusal('{ ...f } fragment f on Query { a { ...f } }')).toBeUndefined();
  const doubling = Array.from(
    { length: 100 },
    (_, n) => `fragment f${n} on Query { ...f${n + 1} ...f${n + 1} }`,
  );
  const bomb = `{ ...f0 } ${doubling.join(' ')} fragment f100 on Query { x: a }`;
  expect(refusal(bomb)).toMatch('at most 3 aliases');
});
