import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { projectPath } from '../../platform/root.js';
import { enumValues, reachable } from '../../test/support/machines.js';
import { charge, paymentStatuses, readTopUp, refundable, transitions } from './domain.js';

const bill = (orderId: string, userId: string, totalCents: number) => ({ orderId, userId, totalCents });

describe('bills that are charged', () => {
  test('are paid one after the other, until the balance is too low', () => {
    const charges = charge(new Map([['a', 500]]), [
      bill('1', 'a', 300),
      bill('2', 'a', 300),
      bill('3', 'a', 200),
    ]);
    expect(charges.map(({ orderId, status }) => [orderId, status])).toEqual([
      ['1', 'SUCCESS'],
      ['2', 'INSUFFICIENT_FUNDS'],
      ['3', 'SUCCESS'],
    ]);
  });
  test('of one user leave the balance of another alone', () => {
    const charges = charge(
      new Map([
        ['a', 100],
        ['b', 100],
      ]),
      [bill('1', 'a', 100), bill('2', 'b', 60), bill('3', 'a', 1)],
    );
    expect(charges.map(({ status }) => status)).toEqual(['SUCCESS', 'SUCCESS', 'INSUFFICIENT_FUNDS']);
  });
  test('of somebody without an account are refused', () => {
    expect(charge(new Map(), [bill('1', 'a', 1)])).toEqual([
      { ...bill('1', 'a', 1), status: 'INSUFFICIENT_FUNDS' },
    ]);
  });
  test('do not touch the balances that were given', () => {
    const balances = new Map([['a', 100]]);
    charge(balances, [bill('1', 'a', 100)]);
    expect(balances).toEqual(new Map([['a', 100]]));
  });
  test('never leave less than nothing, and keep every cent', () => {
    for (let round = 0; round < 200; round += 1) {
      const start = Math.floor(Math.random() * 1000);
      const bills = Array.from({ length: 10 }, (_, index) =>
        bill(String(index), 'a', 1 + Math.floor(Math.random() * 400)),
      );
      const charges = charge(new Map([['a', start]]), bills);
      const taken = charges
        .filter(({ status }) => status === 'SUCCESS')
        .reduce((sum, { totalCents }) => sum + totalCents, 0);
      expect(taken).toBeLessThanOrEqual(start);
      // What was refused was more than there was left then.
      charges.reduce((left, { status, totalCents }) => {
        if (status === 'SUCCESS') return left - totalCents;
        expect(totalCents).toBeGreaterThan(left);
        return left;
      }, start);
    }
  });
  test('end in a status that the SDL has', () => {
    const sdl = readFileSync(projectPath('subgraphs', 'payment', 'schema.graphql'), 'utf8');
    const statuses = charge(new Map([['a', 1]]), [bill('1', 'a', 1), bill('2', 'a', 1)]).map(
      ({ status }) => status,
    );
    expect(enumValues(sdl, 'PaymentStatus')).toEqual([...paymentStatuses]);
    expect([...new Set(statuses.flatMap((first) => reachable(transitions, first)))].toSorted()).toEqual(
      [...paymentStatuses].toSorted(),
    );
    expect(refundable).toEqual(['SUCCESS']);
  });
});

describe('the amount of a top-up', () => {
  test.each([
    ['0.01', 1],
    ['5', 500],
    ['12.5', 1250],
    ['10000000.00', 1_000_000_000],
  ])('%s is %i cents', (amount, cents) => {
    expect(readTopUp(amount)).toEqual({ ok: true, value: cents });
  });
  test.each([
    '0',
    '0.00',
    '-1',
    '1.001',
    '1e3',
    '',
    ' 1',
    '1,00',
    '10000000.01',
    '+1',
    5,
    null,
    undefined,
    ['1'],
    '٣',
  ])('%j is refused', (amount) => {
    expect(readTopUp(amount)).toMatchObject({ ok: false, code: 'BAD_USER_INPUT', field: 'amount' });
  });
});
