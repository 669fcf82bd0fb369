import { describe, expect, test } from 'vitest';
import { encodeCursor } from '../../platform/graphql/cursor.js';
import { type Counts, type Following, follow } from './following.js';
import { askOfDeliveries, askOfOrder, askOfOrders } from './questions.js';

const counts = (): Counts => ({ deliveries: 0, resumes: 0, partial: 0, retries: 0, unknown: 0 });
const ofOrder = (kind: 'order' | 'delivery' | 'payment', totals = counts()): Following =>
  follow(askOfOrder(kind, 'a', 'token', ''), totals);
const event = (sequence: number, status = 'PAID', more: object = {}) => ({
  data: { event: { cursor: encodeCursor('order:a', sequence), status, ...more } },
});
const errorOf = (code: string) => [{ message: 'no', extensions: { code } }];

test('it begins with the present state, and goes on from the last cursor that it has had', () => {
  const totals = counts();
  const following = ofOrder('order', totals);
  expect(following.begin()).toMatchObject({ variables: { id: 'a' } });
  following.next(event(3));
  following.next(event(4, 'COMPLETED'));
  expect(following.begin()).toMatchObject({ variables: { id: 'a', after: encodeCursor('order:a', 4) } });
  expect(following.seen).toMatchObject([
    { position: '3', status: 'PAID' },
    { position: '4', status: 'COMPLETED' },
  ]);
  following.complete();
  expect(following).toMatchObject({ isOver: true, wrong: [] });
  expect(totals).toMatchObject({ deliveries: 2, resumes: 1 });
});

test('a payment is one message a run', () => {
  const following = ofOrder('payment');
  for (let run = 0; run < 2; run++) {
    following.begin();
    following.next(event(1));
  }
  expect(following.seen).toHaveLength(1);
  expect(following.wrong).toEqual([]);
  following.next(event(1));
  expect(following.wrong).toEqual(['a second payment']);
});

describe('it comes back', () => {
  test('after an outage', () => {
    const following = ofOrder('order');
    expect(following.error(errorOf('SERVICE_UNAVAILABLE'))).toBe(true);
    expect(following.wrong).toEqual([]);
  });

  test('where others have not heard of its order, until they have', () => {
    const following = ofOrder('delivery');
    expect(following.error(errorOf('NOT_FOUND'))).toBe(true);
    following.next(event(1));
    expect(following.error(errorOf('NOT_FOUND'))).toBe(false);
    expect(following.wrong).toHaveLength(1);
  });
});

describe('it complains of', () => {
  test.each<[string, (following: Following) => void]>([
    ['another error', (following) => void following.error(errorOf('BAD_USER_INPUT'))],
    [
      'an order that its own service does not know',
      (following) => void following.error(errorOf('NOT_FOUND')),
    ],
    ['an event without data', (following) => following.next({ data: null })],
    ['an event of another order', (following) => following.next(event(1, 'PAID', { order: { id: 'b' } }))],
    [
      'an order that is paid without a payment',
      (following) => following.next(event(1, 'PAID', { order: { id: 'a', payment: null } })),
    ],
    [
      'nulls for another reason than that a service is away',
      (following) => following.next({ ...event(1), errors: errorOf('INTERNAL_SERVER_ERROR') }),
    ],
  ])('%s', (_what, happen) => {
    const following = ofOrder('order');
    happen(following);
    expect(following.wrong).toHaveLength(1);
  });

  test('a feed that completes', () => {
    for (const question of [askOfOrders('a', 'token'), askOfDeliveries('token')]) {
      const following = follow(question, counts());
      following.complete();
      expect(following.wrong).toHaveLength(1);
    }
  });
});
