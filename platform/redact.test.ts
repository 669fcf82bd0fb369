import { expect, test } from 'vitest';
import { redacted } from './redact.js';

test('what holds no secret is the same object', () => {
  const line = { service: 'gateway', list: [1, { a: null }], deep: { deeper: { x: undefined } } };
  expect(redacted(line)).toBe(line);
  const bytes = Buffer.from('abc');
  expect(redacted(bytes)).toBe(bytes);
});

test.each([
  [{ password: 'x' }, { password: '[Redacted]' }],
  [{ password: undefined }, { password: '[Redacted]' }],
  [
    { Authorization: 'x', accesstoken: 'x' },
    { Authorization: '[Redacted]', accesstoken: '[Redacted]' },
  ],
  [
    [{ cookie: ['x'] }, 1],
    [{ cookie: '[Redacted]' }, 1],
  ],
  [
    { a: { b: { c: { d: { e: { authorization: 'x' } } } } } },
    { a: { b: { c: { d: { e: { authorization: '[Redacted]' } } } } } },
  ],
  [
    { session: { toJSON: () => ({ refreshToken: 'x', id: 1 }) } },
    { session: { refreshToken: '[Redacted]', id: 1 } },
  ],
  [
    { at: new Date(0), url: new URL('http://a/') },
    { at: '1970-01-01T00:00:00.000Z', url: 'http://a/' },
  ],
  [{ nested: Object.assign(new Error('no'), { privateKey: 'x' }) }, { nested: { privateKey: '[Redacted]' } }],
])('%o', (given, expected) => {
  const before = structuredCloneable(given);
  expect(JSON.parse(JSON.stringify(redacted(given)))).toEqual(expected);
  expect(structuredCloneable(given)).toBe(before);
});

/** What JSON makes of it: the given object must stay as it was. */
const structuredCloneable = (value: unknown): string => JSON.stringify(value);

test('what refers to itself has an end', () => {
  const knot: Record<string, unknown> = { password: 'x' };
  knot['self'] = knot;
  expect(redacted(knot)['password']).toBe('[Redacted]');
});
