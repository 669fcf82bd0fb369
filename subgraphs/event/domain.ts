import { ok, type Result, refuse } from '../../platform/errors.js';

const maxType = 100;
const maxLevels = 100;
const maxBytes = 64 * 1024;
/** Together with what each has beside its data they fit one batch of the bus. */
const maxBytesOfAll = 384 * 1024;
export const maxEvents = 100;

/** What staff says has happened. */
export interface NewEvent {
  type: string;
  userId: string | null;
  orderId: string | null;
  data: unknown;
}

type Data = Record<string, unknown>;

/** The type of an event that staff publishes: dotted small letters, and nothing that only the house says. */
export function checkType(type: string, systemTypes: ReadonlySet<string>): Result<string> {
  if (type.length > maxType || !/^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+$/.test(type))
    return wrong(
      `A type is a dotted name in small letters, of at most ${maxType}: order.note.added.`,
      'type',
    );
  if (systemTypes.has(type)) return wrong(`${type} is what the services themselves say.`, 'type');
  return ok(type);
}

/** The data of an event, with the ids of whom it concerns in it. Ids are in small letters. */
export function completeData({ userId, orderId, data }: Omit<NewEvent, 'type'>): Result<Data> {
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    return wrong('data is an object: { "note": "called" }.', 'data');
  if (!isShallow(data, maxLevels)) return wrong(`data has at most ${maxLevels} levels.`, 'data');
  const completed: Data = { ...data };
  for (const [name, id] of Object.entries({ userId, orderId })) {
    const told = completed[name] ?? id;
    const small = typeof told === 'string' ? told.toLowerCase() : told;
    if (id !== null && small !== id) return wrong(`data has another ${name}.`, name);
    if (typeof small === 'string') completed[name] = small;
  }
  return ok(completed);
}

const isShallow = (value: unknown, levels: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (levels > 0 && Object.values(value).every((part) => isShallow(part, levels - 1)));

/** Whether events whose data have these lengths, in bytes, may be published together. */
export function checkSizes(sizes: readonly number[]): Result<null> {
  const large = sizes.findIndex((size) => size > maxBytes);
  if (large >= 0) return wrong(`data has at most ${maxBytes / 1024} KiB as JSON.`, `inputs.${large}.data`);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  if (all > maxBytesOfAll)
    return wrong(`All data together has at most ${maxBytesOfAll / 1024} KiB.`, 'inputs');
  return ok(null);
}

const wrong = (message: string, field: string) => refuse('BAD_USER_INPUT', message, field);
