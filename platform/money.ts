import { ok, type Result, refuse } from './errors.js';

/** The only currency so far; it has two decimals. */
export const currency = 'EUR';

/** An amount as GraphQL's Money: a decimal string, made of integer cents. */
export interface Money {
  amount: string;
  currency: string;
}

export const money = (cents: number): Money => ({ amount: toDecimal(cents), currency });

export function toDecimal(cents: number): string {
  const digits = String(Math.abs(cents)).padStart(3, '0');
  return `${cents < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** No single amount is larger than this: ten million. */
const largestCents = 1_000_000_000;

/**
 * Reads a decimal string as cents. More decimals than the currency has are refused, never rounded;
 * so is anything that is not a plain decimal number from 0 to 10,000,000.
 */
export function parseCents(text: unknown, field: string): Result<number> {
  const match = typeof text === 'string' ? /^(\d{1,12})(?:\.(\d{1,18}))?$/.exec(text) : null;
  if (!match) return refuse('BAD_USER_INPUT', 'An amount is a decimal string such as "12.50".', field);
  const decimals = match[2] ?? '';
  if (decimals.length > 2) return refuse('BAD_USER_INPUT', `${currency} has two decimals.`, field);
  const cents = Number(match[1]) * 100 + Number(decimals.padEnd(2, '0'));
  if (cents > largestCents)
    return refuse('BAD_USER_INPUT', `An amount is at most ${toDecimal(largestCents)}.`, field);
  return ok(cents);
}
