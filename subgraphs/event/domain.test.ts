import { expect, test } from 'vitest';
import { checkSizes, checkType, completeData } from './domain.js';

const system = new Set(['order.created']);
const [userId, other] = ['0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11', '0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a12'];
const nested = (levels: number): object => (levels === 1 ? {} : { next: nested(levels - 1) });

test.each(['order.note.added', 'a.b', 'user.e-mail_1.sent', `a.${'b'.repeat(98)}`])(
  '%s is a type',
  (type) => {
    expect(checkType(type, system)).toEqual({ ok: true, value: type });
  },
);

test.each([
  '',
  'note',
  'Order.note',
  'order..note',
  '.order',
  'order.',
  'order note.x',
  `a.${'b'.repeat(99)}`,
  'a.b\n',
])('%j is none', (type) => {
  expect(checkType(type, system)).toMatchObject({ code: 'BAD_USER_INPUT', field: 'type' });
});

test('what the house says itself is refused', () => {
  expect(checkType('order.created', system)).toMatchObject({ code: 'BAD_USER_INPUT', field: 'type' });
});

test('data gets the ids of whom it concerns, and the rest stays', () => {
  expect(completeData({ userId, orderId: null, data: { note: 1 } })).toEqual({
    ok: true,
    value: { note: 1, userId },
  });
  const told = { userId: userId.toUpperCase(), orderId: other };
  expect(completeData({ userId, orderId: null, data: told })).toEqual({
    ok: true,
    value: { userId, orderId: other },
  });
  expect(completeData({ userId, orderId: null, data: { userId: null } })).toEqual({
    ok: true,
    value: { userId },
  });
});

test('ids that data alone has are in small letters too: events are in order by them', () => {
  const data = { userId: userId.toUpperCase(), orderId: other.toUpperCase(), courierId: 'A' };
  expect(completeData({ userId: null, orderId: null, data })).toEqual({
    ok: true,
    value: { userId, orderId: other, courierId: 'A' },
  });
});

test('data that says something else is refused', () => {
  const bare: unknown = Object.create(null);
  for (const told of [other, {}, { toString: 1, valueOf: 1 }, bare, [userId], 1])
    expect(completeData({ userId, orderId: null, data: { userId: told } })).toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'userId',
    });
});

test.each([null, undefined, 1, 'text', true, [], [{}]])('data is no %j', (data) => {
  expect(completeData({ userId, orderId: null, data })).toMatchObject({
    code: 'BAD_USER_INPUT',
    field: 'data',
  });
});

test('data has a hundred levels at most', () => {
  expect(completeData({ userId, orderId: null, data: nested(100) })).toMatchObject({ ok: true });
  expect(completeData({ userId, orderId: null, data: nested(101) })).toMatchObject({ field: 'data' });
});

test('data has so many bytes at most, each and all', () => {
  expect(checkSizes([64 * 1024])).toMatchObject({ ok: true });
  expect(checkSizes([1, 64 * 1024 + 1])).toMatchObject({ ok: false, field: 'inputs.1.data' });
  expect(checkSizes(Array.from({ length: 6 }, () => 64 * 1024))).toMatchObject({ ok: true });
  expect(checkSizes(Array.from({ length: 7 }, () => 64 * 1024))).toMatchObject({
    ok: false,
    field: 'inputs',
  });
});
