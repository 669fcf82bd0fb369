import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { checkId, firstIdOf, idOf, isId, stableId } from './ids.js';

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
  '00000000-0000-0000-0000-000000000001',
  '0198c5f2-7c1e-9b1a-9a55-3f0c9d3e8a11',
  '0198c5f2-7c1e-7b1a-ca55-3f0c9d3e8a11',
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

test('the first id of a moment stands before every id of it, and after every id before it', () => {
  // Of 2026-11-21T08:00:00.000Z and the millisecond before, as PostgreSQL's uuidv7() makes them.
  const time = new Date('2026-11-21T08:00:00.000Z');
  const hex = (ms: number) => ms.toString(16).padStart(12, '0');
  const idAt = (ms: number, rest: string) => `${hex(ms).slice(0, 8)}-${hex(ms).slice(8)}-${rest}`;
  expect(firstIdOf(time) <= idAt(time.getTime(), '7000-8000-000000000000')).toBe(true);
  expect(firstIdOf(time) > idAt(time.getTime() - 1, '7fff-bfff-ffffffffffff')).toBe(true);
});

test('new ids of a moment begin with it, and are in the order of their making', () => {
  const time = new Date('2026-11-27T08:00:00.123Z');
  const ids = Array.from({ length: 20_000 }, () => idOf(time));
  expect(ids.every((id) => z.uuidv7().safeParse(id).success)).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
  // The counter begins anew somewhere, which one of very many runs may see.
  const steps = ids.slice(1).filter((id, index) => id > (ids[index] ?? ''));
  expect(steps.length).toBeGreaterThanOrEqual(ids.length - 2);
  expect(ids.every((id) => id > firstIdOf(time) && id < firstIdOf(new Date(time.getTime() + 1)))).toBe(true);
});
