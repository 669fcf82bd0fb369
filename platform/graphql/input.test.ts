import { expect, test } from 'vitest';
import { readSearch, readTime } from './input.js';

test.each([
  ['2026-11-21T08:00:00Z', '2026-11-21T08:00:00.000Z'],
  ['2026-11-21T08:00Z', '2026-11-21T08:00:00.000Z'],
  ['2026-11-21T08:00:00.123456+02:00', '2026-11-21T06:00:00.123Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
])('%s is a moment', (text, iso) => {
  expect(readTime(text, 'since').toISOString()).toBe(iso);
});

test.each([
  '',
  'now',
  '2026-11-21',
  '2026-11-21T08:00:00',
  '2026-13-01T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '2026-01-01T25:00Z',
  '2026-01-01T00:00+99:00',
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00+14:00',
  '9999-12-31T23:59:59-14:00',
  5,
  null,
])('what is no moment is refused: %s', (value) => {
  expect(() => readTime(value, 'since')).toThrow(
    expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT', field: 'since' } }),
  );
});

test('a search is a pattern that takes its letters literally', () => {
  expect(readSearch('  cake ')).toBe('%cake%');
  expect(readSearch('50%_\\')).toBe('%50\\%\\_\\\\%');
  expect([readSearch(null), readSearch(undefined), readSearch('  ')]).toEqual([null, null, null]);
  for (const text of ['x'.repeat(201), 'a\0b']) {
    expect(() => readSearch(text)).toThrow(
      expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT', field: 'search' } }),
    );
  }
});
