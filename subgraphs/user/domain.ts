import { ok, type Result, refuse } from '../../platform/errors.js';
import { isText } from '../../platform/text.js';

/** A registration whose every field has been checked. */
export interface Registration {
  email: string;
  password: string;
  firstName: string;
  lastName: string;
}

/** One @, something on both sides, a dot in the host, no spaces: the rest only a message to it can prove. */
const address = /^[^\s@\p{Cc}\p{Cs}]{1,64}@[^\s@.\p{Cc}\p{Cs}]+(\.[^\s@.\p{Cc}\p{Cs}]+)+$/u;

/** Whether a text could be the email address of an account. */
export const isEmail = (text: string): boolean => text.length <= 254 && address.test(text);

export const normalizeEmail = (email: string): string => email.trim().toLowerCase();

/** Checks a registration field by field and answers it normalized, or the first field that is wrong. */
export function decideRegistration(input: { [K in keyof Registration]: unknown }): Result<Registration> {
  const email = typeof input.email === 'string' ? normalizeEmail(input.email) : '';
  if (!isEmail(email)) {
    return refuse('BAD_USER_INPUT', 'This is not an email address.', 'email');
  }
  const { password } = input;
  if (typeof password !== 'string' || password.length < 8 || password.length > 128 || !isText(password)) {
    return refuse('BAD_USER_INPUT', 'A password has 8 to 128 characters.', 'password');
  }
  const firstName = name(input.firstName);
  if (firstName === undefined)
    return refuse('BAD_USER_INPUT', 'A name has 1 to 100 characters.', 'firstName');
  const lastName = name(input.lastName);
  if (lastName === undefined) return refuse('BAD_USER_INPUT', 'A name has 1 to 100 characters.', 'lastName');
  return ok({ email, password, firstName, lastName });
}

function name(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value.trim() : '';
  return text.length >= 1 && text.length <= 100 && !/[\p{Cc}\p{Cs}]/u.test(text) ? text : undefined;
}
