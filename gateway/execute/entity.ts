import { deepest } from './depth.js';
import type { ObjectTest } from './types.js';

/**
 * An object of a subgraph's answer, as JSON.parse made it. It holds no functions, so what reads as one is
 * inherited (`constructor`, `toString`), and is not there.
 */
export type Entity = Record<string, unknown>;

export const isEntity = (value: unknown): value is Entity =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What stands under a key itself, or undefined: clients choose aliases, `constructor` and `__proto__` among them. */
export function own(entity: Entity, key: string): unknown {
  const value = entity[key];
  if (typeof value === 'function') return undefined;
  return key === '__proto__' && !Object.hasOwn(entity, key) ? undefined : value;
}

/** Puts a value under a key, whatever the key is. */
export function put(entity: Entity, key: string, value: unknown): void {
  if (key !== '__proto__') entity[key] = value;
  else Object.defineProperty(entity, key, { value, configurable: true, enumerable: true, writable: true });
}

/**
 * Adds what a subgraph answered to what is known already: objects grow together, lists of one length element
 * by element, a scalar stays where an object comes (it may be a key, by which others are asked), null takes
 * nothing away (two subgraphs may be asked at once for what one of them does not know), nor does an interface's name
 * take away a type (a subgraph to which the interface is an object calls its objects so), and of all else the later
 * value stands. Objects of `from` become part of `into` unless `copies` is set, which it must be where
 * `from` is merged more than once: later fetches write into what is there.
 */
export function merge(
  into: Entity,
  from: Entity,
  copies: boolean,
  isObject: ObjectTest = always,
  levels = deepest,
): void {
  for (const key of Object.keys(from)) {
    const value = own(from, key);
    if (value === undefined || (value === null && own(into, key) !== undefined)) continue;
    if (typeof value !== 'object' || value === null) {
      if (key === '__typename' && isKnownBetter(into[key], value, isObject)) continue;
      put(into, key, value);
      continue;
    }
    const there = own(into, key);
    if (Array.isArray(value)) {
      if (Array.isArray(there) && there.length === value.length)
        mergeLists(there, value, copies, isObject, levels - 1);
      else put(into, key, copies ? copyOf(value, levels - 1) : value);
    } else if (isEntity(there) && levels > 0) merge(there, value as Entity, copies, isObject, levels - 1);
    else if (!isScalar(there)) put(into, key, copies ? copyOf(value, levels - 1) : value);
  }
}

const always = () => true;

const isKnownBetter = (known: unknown, told: unknown, isObject: ObjectTest): boolean =>
  told !== known &&
  typeof known === 'string' &&
  typeof told === 'string' &&
  isObject(known) &&
  !isObject(told);

const isScalar = (value: unknown): boolean =>
  value !== undefined && value !== null && typeof value !== 'object';

function mergeLists(
  into: unknown[],
  from: readonly unknown[],
  copies: boolean,
  isObject: ObjectTest,
  levels: number,
): void {
  for (let index = 0; index < from.length; index++) {
    const there = into[index];
    const value = from[index];
    if (levels > 0 && isEntity(there) && isEntity(value)) merge(there, value, copies, isObject, levels - 1);
    else if (levels > 0 && Array.isArray(there) && Array.isArray(value) && there.length === value.length)
      mergeLists(there, value, copies, isObject, levels - 1);
    else if (value !== null) into[index] = copies ? copyOf(value, levels - 1) : value;
  }
}

/** No plan writes into what is deeper than `levels`, nor does anybody read it: that is not copied. */
function copyOf(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null || levels <= 0) return value;
  if (Array.isArray(value)) return value.map((item) => copyOf(item, levels - 1));
  const copy: Entity = {};
  for (const key of Object.keys(value)) put(copy, key, copyOf((value as Entity)[key], levels - 1));
  return copy;
}
