import { ok, type Result, refuse } from './errors.js';
import { isTextOf } from './text.js';

export const maxReason = 500;

/** Reads why somebody wants something, as `reason` of an input; null where nobody says. */
export function readReason(reason: string | null | undefined): Result<string | null> {
  const text = reason?.trim() ?? '';
  if (text === '') return ok(null);
  if (!isTextOf(text, maxReason))
    return refuse('BAD_USER_INPUT', `A reason has at most ${maxReason} characters.`, 'reason');
  return ok(text);
}
