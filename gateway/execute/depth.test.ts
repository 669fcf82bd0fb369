import { expect, test } from 'vitest';
import { isDeeper, isTextDeeper } from './depth.js';

const cases: [string, number][] = [
  ['7', 0],
  ['"[[[["', 0],
  ['[]', 1],
  ['{"a":1}', 1],
  ['[[],[[]],[]]', 3],
  ['{"a":{"b":[{"c":"]"}]}}', 4],
  [String.raw`["\"[[",[1]]`, 2],
  [String.raw`["\\",[["\\\"{",[]]]]`, 4],
  [String.raw`{"{\"[":"\\\\","b":[[]]}`, 3],
  ['["é🚲[",["]"]]', 2],
];

test.each(cases)('%s is so deep, before and after it is parsed', (text, depth) => {
  const value: unknown = JSON.parse(text);
  expect([isDeeper(value, depth), isTextDeeper(text, depth)]).toEqual([false, false]);
  if (depth > 0) expect([isDeeper(value, depth - 1), isTextDeeper(text, depth - 1)]).toEqual([true, true]);
});

test('what is no JSON comes to an end too', () => {
  const texts = [
    '"',
    '["',
    '"\\',
    '\\"[',
    ']]]]',
    '"'.repeat(99_999),
    '\\'.repeat(1_000_000),
    '"\\"'.repeat(500_000),
  ];
  expect(texts.map((text) => isTextDeeper(text, 3))).toEqual(texts.map(() => false));
  expect(isTextDeeper('['.repeat(64 * 1024 * 1024), 500)).toBe(true);
});
