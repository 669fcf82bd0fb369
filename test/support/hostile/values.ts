import type { Samples } from '../../../gateway/testing/oracle/inputs.js';
import type { Random } from '../../../gateway/testing/random.js';

const long = 'x'.repeat(20_000);

/** What nobody means well by, or nobody thinks of. */
const texts = [
  '',
  ' ',
  '\0',
  '\u202e\ufeff',
  '💥'.repeat(50),
  long,
  "'; drop table users; --",
  '" or ""="',
  '%_%',
  '\\',
  '$1',
  '<script>alert(1)</script>',
  '{{7*7}}',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'null',
  'NaN',
  '-0',
  '1e999',
  '9'.repeat(400),
  '2026-02-31T25:61:61Z',
  '+275760-09-13T00:00:00.001Z',
  '0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a1',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '{0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11}',
  'a@b',
  'a@b.c'.padStart(300, 'a'),
  'not.a.jwt',
  Buffer.from('orders|not a cursor').toString('base64'),
];

const numbers = [0, -1, 1, 100, 101, 2 ** 31 - 1, -(2 ** 31)];
const floats = [...numbers, 1e308, -1e308, 5e-324, 90, 180.000_001, Number.MAX_SAFE_INTEGER];

/** JSON that is no value of any of our inputs. */
export const odd: readonly unknown[] = [
  null,
  true,
  [],
  {},
  [[[[[]]]]],
  1.5,
  2 ** 53,
  -(2 ** 63),
  1e308,
  JSON.parse('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"x":1}},"toString":"x"}'),
  { length: 1_000_000 },
  // Halves of characters, which a document cannot have.
  '\ud800',
  'a\udfff b',
  ...texts,
];

/** Samples of which many are hostile; `ids` are of things that there are. */
export const hostileSamples = (ids: readonly string[]): Samples => ({
  ID: [...ids, ...texts],
  String: texts,
  Int: numbers,
  Float: floats,
  Boolean: [true, false],
  first: [...numbers, 2, 3, 5],
  Decimal: ['0', '1.00', '-1', '1.001', '10000000.01', ...texts],
  DateTime: ['2026-11-21T08:00:00.000Z', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', ...texts],
  JSON: [null, true, 1.5, [], {}, [[1]], { a: { b: ['c'] } }, ...texts],
});

/** Samples that mean something, most of the time. */
export const honestSamples = (ids: readonly string[]): Samples => ({
  ...hostileSamples(ids),
  ID: ids,
  String: ['text', 'Tea', 'Long Lane 1'],
  Int: [1, 2, 5],
  Float: [0, 52.5],
  first: [0, 1, 3],
  Decimal: ['1.00', '2.50'],
  DateTime: ['2026-11-21T08:00:00.000Z'],
});

/** A text in which something is not as it was. */
export function damaged(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  const length = random.below(12);
  const scraps = [
    '{',
    '}',
    '(',
    ')',
    ':',
    '$',
    '!',
    '@',
    '"',
    '"""',
    '...',
    '#',
    ',',
    '[',
    ']',
    '&',
    '\0',
    '\ud83d',
    ...texts,
  ];
  switch (random.below(4)) {
    case 0:
      return text.slice(0, at) + text.slice(at + length);
    case 1:
      return text.slice(0, at) + random.pick(scraps) + text.slice(at);
    case 2:
      return text.slice(0, at) + random.pick(scraps) + text.slice(at + length);
    default:
      return text.slice(0, at) + text.slice(at - length, at) + text.slice(at);
  }
}
