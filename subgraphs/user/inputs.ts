import { z } from 'zod';
import { isTextOf, lengthOf } from '../../platform/text.js';
import { isEmail, normalizeEmail } from './domain.js';
import { isCommon } from './passwords.js';

const text = (error: string) => z.string({ error });

const email = text('This is not an email address.')
  .transform(normalizeEmail)
  .refine(isEmail, { error: 'This is not an email address.' });

/** In characters. */
export const longestPassword = 128;
const wrongLength = 'A password has 8 to 128 characters.';
const password = text(wrongLength)
  .refine((given) => isTextOf(given, longestPassword, 8), {
    error: wrongLength,
    abort: true,
  })
  .refine((given) => !isCommon(given), { error: 'This password is one of the commonest: take another one.' });

const wrongName = 'A name has 1 to 100 characters.';
const name = text(wrongName)
  .trim()
  .refine((given) => lengthOf(given) >= 1 && lengthOf(given) <= 100 && !/[\p{Cc}\p{Cs}]/u.test(given), {
    error: wrongName,
  });

/** What is left out, or null, stays. */
const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((given) => given ?? null);

export const registration = z.object({ email, password, firstName: name, lastName: name });
export type Registration = z.output<typeof registration>;

export const profileUpdate = z.object({
  email: optional(email),
  firstName: optional(name),
  lastName: optional(name),
});

export const passwordChange = z.object({ currentPassword: z.string(), newPassword: password });
