import { ok, type Result, refuse } from '../../platform/errors.js';
import { parseCents } from '../../platform/money.js';

export const paymentStatuses = ['SUCCESS', 'INSUFFICIENT_FUNDS', 'REFUNDED'] as const;
export type PaymentStatus = (typeof paymentStatuses)[number];

/** Which status of a payment may follow which. It begins as either of the first two. */
export const transitions: Record<PaymentStatus, readonly PaymentStatus[]> = {
  SUCCESS: ['REFUNDED'],
  INSUFFICIENT_FUNDS: [],
  REFUNDED: [],
};

/** Those that can be given back. */
export const refundable = paymentStatuses.filter((status) => transitions[status].includes('REFUNDED'));

/** What payment needs of an order to charge it. */
export interface Bill {
  orderId: string;
  userId: string;
  totalCents: number;
}

/** A bill's end: charged, or refused with nothing taken. */
export interface Charge extends Bill {
  status: 'SUCCESS' | 'INSUFFICIENT_FUNDS';
}

/**
 * Charges bills one after the other against the balances of their users (in cents, by user id). A
 * bill is paid in full or not at all.
 */
export function charge(balances: ReadonlyMap<string, number>, bills: readonly Bill[]): Charge[] {
  const left = new Map(balances);
  return bills.map((bill) => {
    const balance = left.get(bill.userId) ?? 0;
    if (balance < bill.totalCents) return { ...bill, status: 'INSUFFICIENT_FUNDS' };
    left.set(bill.userId, balance - bill.totalCents);
    return { ...bill, status: 'SUCCESS' };
  });
}

/** Reads the amount of a top-up, in cents. */
export function readTopUp(amount: unknown): Result<number> {
  const cents = parseCents(amount, 'amount');
  if (cents.ok && cents.value === 0) return refuse('BAD_USER_INPUT', 'An amount is more than 0.', 'amount');
  return cents.ok ? ok(cents.value) : cents;
}
