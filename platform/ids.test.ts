import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { checkId, isId, stableId } from './ids.js';

test('an id is a UUID, in whatever letters, and comes back in small ones', () => {
  const id = randomUUID();
  expect(isId(id)).toBe(true);
  expect(checkId(id.toUpperCase(), 'id')).toBe(id);
});

test.each([
  '',
  'x',
  `${randomUUID()} `,
  randomUUID().slice(1),
  randomUUID().replaceAll('-', ''),
  `${randomUUID()}\n`,
])('what is no id is refused before the database is asked: %j', (text) => {
  expect(isId(text)).toBe(false);
  expect(() => checkId(text, 'orderId')).toThrow(
    expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT', field: 'orderId' } }),
  );
});

test('a stable id is a UUID of version 8, the same for a name and another for another', () => {
  expect(stableId('user:a')).toBe(stableId('user:a'));
  expect(stableId('user:a')).not.toBe(stableId('user:b'));
  expect(stableId('user:a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
});
