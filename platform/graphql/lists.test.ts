import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { connectionResolvers, readPage, toPage } from './connection.js';
import { decodeCursor, decodeSequence, encodeCursor } from './cursor.js';

const refused = (field: string) => expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT', field } });

describe('a cursor', () => {
  test('carries its scope and gives its position back there', () => {
    const cursor = encodeCursor('order:7', 'abc');
    expect(cursor).toMatch(/^[\w-]+$/);
    expect(decodeCursor(cursor, 'order:7')).toBe('abc');
    expect(decodeSequence(encodeCursor('order:7', 12), 'order:7')).toBe(12);
  });

  test.each([
    ['of another scope', encodeCursor('order:8', 'abc')],
    ['of a scope that begins alike', encodeCursor('order:7|x', 'abc')],
    ['that is empty', ''],
    ['that is no base64url', 'a+b='],
    ['without a scope', Buffer.from('abc').toString('base64url')],
    ['that is endless', 'a'.repeat(401)],
  ])('%s is refused', (_, cursor) => {
    expect(() => decodeCursor(cursor, 'order:7')).toThrow(refused('after'));
    expect(() => decodeCursor(cursor, 'order:7', 'since')).toThrow(refused('since'));
  });

  test.each(['', '-1', '1.5', '1e3', 'x', '1'.repeat(10)])(
    'of a sequence takes a number only: %j',
    (position) => {
      expect(() => decodeSequence(encodeCursor('order:7', position), 'order:7')).toThrow(refused('after'));
    },
  );
});

describe('a page', () => {
  const id = randomUUID();

  test('is 20 rows from the start, unless asked otherwise', () => {
    expect(readPage('orders', {})).toEqual({ scope: 'orders', first: 20, after: null });
    expect(readPage('orders', { first: null, after: null })).toEqual({
      scope: 'orders',
      first: 20,
      after: null,
    });
    expect(readPage('orders', { first: 100, after: encodeCursor('orders', id) })).toEqual({
      scope: 'orders',
      first: 100,
      after: id,
    });
    expect(readPage('orders', { first: 0 }).first).toBe(0);
  });

  test.each([
    ['first', { first: 101 }],
    ['first', { first: -1 }],
    ['after', { after: encodeCursor('products', id) }],
    ['after', { after: encodeCursor('orders', 'x') }],
    ['after', { after: '' }],
  ])('is refused, naming %s: %j', (field, args) => {
    expect(() => readPage('orders', args)).toThrow(refused(field));
  });

  test('shows its rows, whether there are more, and cursors that lead on', async () => {
    const rows = Array.from({ length: 3 }, () => ({ id: randomUUID() }));
    const resolvers = connectionResolvers<{ id: string }>();
    const request = readPage('orders', { first: 2 });
    const page = toPage(request, rows, async () => 9);
    expect(resolvers.nodes(page)).toEqual(rows.slice(0, 2));
    expect(resolvers.edges(page).map(({ node }) => node)).toEqual(rows.slice(0, 2));
    const { endCursor, ...info } = resolvers.pageInfo(page);
    expect(info).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    expect(readPage('orders', { after: endCursor }).after).toBe(rows[1]?.id);
    expect(await resolvers.totalCount(page)).toBe(9);
    const last = toPage(readPage('orders', { first: 2, after: endCursor }), rows.slice(2), async () => 9);
    expect(resolvers.pageInfo(last)).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });

  test('without rows has no cursors, and counts only when asked', () => {
    const empty = toPage(readPage('orders', { first: 0 }), [{ id }], () => {
      throw new Error('was counted');
    });
    expect(connectionResolvers<{ id: string }>().pageInfo(empty)).toEqual({
      hasNextPage: true,
      hasPreviousPage: false,
      startCursor: null,
      endCursor: null,
    });
  });
});
