import { expect, test } from 'vitest';
import { utf8 } from './bytes.js';

test.each([
  '',
  'plain',
  'Käse, 乳酪, 🧀',
  '\ud800 alone',
  'x'.repeat(100_000),
  '乳'.repeat(400_000),
  '🧀'.repeat(300_000),
])('the bytes of a text are those of Buffer.from (%#)', (text) =>
  expect(utf8(text).equals(Buffer.from(text))).toBe(true),
);

test('and stay what they are when another text follows', () => {
  const first = utf8('first');
  utf8('other');
  expect(first.toString()).toBe('first');
});
