import { createHash, randomBytes, randomInt } from 'node:crypto';
import { badInput } from './errors.js';

/** A UUID of RFC 9562, as zod knows one too: what passes here, events and peers take. */
const uuid =
  /^([0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|0{8}(-0{4}){3}-0{12}|f{8}(-f{4}){3}-f{12})$/i;

export const isId = (text: string): boolean => uuid.test(text);

/** @throws BAD_USER_INPUT when the text is no id, so that the database is never asked about it */
export function checkId(text: string, field: string): string {
  if (isId(text)) return text.toLowerCase();
  throw badInput(`${field} is not an id: ids look like 0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11.`, field);
}

const hexOf = (value: number, digits: number): string =>
  value.toString(16).padStart(digits, '0').slice(-digits);
const timeOf = (time: Date): string => hexOf(Math.max(time.getTime(), 0), 12);

const counterSize = 2 ** 26;
let counter = randomInt(counterSize);

/** A new id of a moment (a UUID of version 7). Of those that one process makes for one moment, the later is the greater. */
export function idOf(time: Date): string {
  counter = (counter + 1) % counterSize;
  const hex = timeOf(time);
  const [high, low] = [hexOf(counter >> 14, 3), hexOf(0x8000 | (counter & 0x3fff), 4)];
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${high}-${low}-${randomBytes(6).toString('hex')}`;
}

/** The least id (a UUID of version 7) of a moment: ids begin with their time, so a range of times is a range of ids. */
export function firstIdOf(time: Date): string {
  const hex = timeOf(time);
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** An id that is always the same for a name (a UUID of version 8): for data that several services must agree on. */
export function stableId(name: string): string {
  const hash = createHash('sha256').update(name).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}
