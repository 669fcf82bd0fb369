import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** What is kept of a key, or leave to keep it. */
export type Taken =
  | { value: string }
  /** What is read from now on may be put, for as long as nobody drops its key. Who else misses it gets the same. */
  | { value?: undefined; lease: string };

/**
 * Where texts are kept by their keys. What was read before a change can never be put after it: a key that is dropped ends
 * its lease. (After "Scaling Memcache at Facebook", NSDI 2013, section 3.2.1.)
 */
export interface CacheStore {
  /** In the order of the keys. */
  take(keys: readonly string[]): Promise<Taken[]>;
  put(entries: readonly CacheEntry[]): Promise<void>;
  drop(keys: readonly string[]): Promise<void>;
}

export interface CacheEntry {
  key: string;
  lease: string;
  value: string;
}

/** For how long something is kept that nobody changes, in ms: the longest that a lost word of a change could matter. */
export const keptMs = 5 * 60_000;
/** For how long a read may take whose rows are put then, in ms. */
export const leaseMs = 10_000;

const mostKept = 50_000;

/** Keeps in this process what nobody else changes. */
export function createLocalStore(): CacheStore {
  const values = new LRUCache<string, string>({ max: mostKept, ttl: keptMs });
  const leases = new LRUCache<string, string>({ max: mostKept, ttl: leaseMs });
  return {
    async take(keys) {
      return keys.map((key) => {
        const value = values.get(key);
        if (value !== undefined) return { value };
        const lease = leases.get(key) ?? randomUUID();
        if (!leases.has(key)) leases.set(key, lease);
        return { lease };
      });
    },
    async put(entries) {
      for (const { key, lease, value } of entries) {
        if (leases.get(key) !== lease) continue;
        leases.delete(key);
        values.set(key, value);
      }
    },
    async drop(keys) {
      for (const key of keys) {
        values.delete(key);
        leases.delete(key);
      }
    },
  };
}
