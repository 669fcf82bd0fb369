import { expect, test } from 'vitest';
import { money, parseCents, toDecimal } from './money.js';

test.each([
  [0, '0.00'],
  [5, '0.05'],
  [50, '0.50'],
  [1_999, '19.99'],
  [-5, '-0.05'],
  [-12_345, '-123.45'],
  [1_000_000_000, '10000000.00'],
  [Number.MAX_SAFE_INTEGER, '90071992547409.91'],
])('%d cents are %s', (cents, decimal) => {
  expect(toDecimal(cents)).toBe(decimal);
  expect(money(cents)).toEqual({ amount: decimal, currency: 'EUR' });
});

test.each([
  ['0', 0],
  ['0.1', 10],
  ['0.10', 10],
  ['19.99', 1_999],
  ['007', 700],
  ['10000000.00', 1_000_000_000],
])('%s is read as %d cents', (text, cents) => {
  expect(parseCents(text, 'price')).toEqual({ ok: true, value: cents });
});

test.each([
  '',
  '.5',
  '1.',
  '-1',
  '+1',
  '1e3',
  '1,50',
  ' 1',
  '1.001',
  '1.000',
  '0x10',
  'NaN',
  '10000000.01',
  '9'.repeat(13),
  1,
  1.5,
  null,
  undefined,
  {},
])('what is no amount is refused, naming the field: %s', (text) => {
  expect(parseCents(text, 'price')).toMatchObject({ ok: false, code: 'BAD_USER_INPUT', field: 'price' });
});

test('every amount of cents reads back as itself', () => {
  for (let cents = 0; cents < 20_000; cents += 7)
    expect(parseCents(toDecimal(cents), 'x')).toEqual({ ok: true, value: cents });
});
