import type { GraphQLError } from 'graphql';
import { problem } from './errors.js';

export const infiniteMessage =
  'A number is at most 1.8e308, or as far below zero: what is more, nothing here can hold.';

/** The refusal of variables with a number that is infinite once it is read: on its way on it would become null. */
export const infiniteVariables = (): GraphQLError =>
  problem('BAD_USER_INPUT', infiniteMessage, { field: 'variables' });

/** Whether a number in a value is infinite, however deep. */
export function holdsInfinity(value: unknown): boolean {
  const left = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one === 'number') {
      if (!Number.isFinite(one)) return true;
    } else if (typeof one === 'object' && one !== null)
      for (const inner of Object.values(one)) left.push(inner);
  }
  return false;
}

/** Only numbers of so many digits can be, so that most texts need no more than this look. */
const large = /\d{200}|\d[eE]\+?\d{3}/;

/** The same of a value and the JSON that it was read from. */
export const textHoldsInfinity = (text: string, value: unknown): boolean =>
  large.test(text) && holdsInfinity(value);
