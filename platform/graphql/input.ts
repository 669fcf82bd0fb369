import type { z } from 'zod';
import { badInput, ok, type Result, refuse } from '../errors.js';
import { isTextOf } from '../text.js';

/** Checks an input by a schema, whose messages are for clients; the first field that is wrong is refused. */
export function readInput<T>(schema: z.ZodType<T>, input: unknown): Result<T> {
  const read = schema.safeParse(input);
  if (read.success) return ok(read.data);
  const [issue] = read.error.issues;
  return refuse('BAD_USER_INPUT', issue?.message ?? 'This is not what it should be.', issue?.path.join('.'));
}

/** @throws BAD_USER_INPUT unless the text is a moment in ISO 8601, with its offset */
export function readTime(value: unknown, field: string): Date {
  const iso = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;
  if (value instanceof Date) return value;
  const day = typeof value === 'string' ? iso.exec(value)?.[1] : undefined;
  const time = new Date(day === undefined ? Number.NaN : (value as string));
  if (time.getTime() >= firstMoment && time.getTime() <= lastMoment && isDay(day ?? '')) return time;
  throw badInput(`${field} is a moment such as 2026-11-21T08:00:00Z.`, field);
}

/** In UTC: an offset may lead into years that PostgreSQL writes another way than JavaScript. */
const firstMoment = Date.parse('0001-01-01T00:00:00Z');
const lastMoment = Date.parse('9999-12-31T23:59:59.999Z');

/** JavaScript would take February 30 for March 2. */
const isDay = (day: string): boolean => new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);

/** A search text as a pattern for `ilike`, or null where there is nothing to search. @throws BAD_USER_INPUT */
export function readSearch(text: string | null | undefined): string | null {
  const wanted = text?.trim() ?? '';
  if (wanted === '') return null;
  if (!isTextOf(wanted, 200)) throw badInput('search has at most 200 characters.', 'search');
  return `%${wanted.replace(/[\\%_]/g, '\\$&')}%`;
}
