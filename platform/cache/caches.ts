import { randomUUID } from 'node:crypto';
import type { Redis } from './redis.js';
import { type CacheStore, createLocalStore } from './store.js';

/** Where the services of a process keep what they read. */
export interface Caches {
  /** A store of its own, by name. */
  store(name: string): CacheStore;
  /** What is away that they do without. */
  missing(): string[];
}

/** Keeps nothing: what one process keeps, another one's writes would not reach. */
const noStore: CacheStore = {
  take: async (keys) => keys.map(() => ({ lease: randomUUID() })),
  put: async () => undefined,
  drop: async () => undefined,
};

/** In Redis where there is one; else in this process, if it is the only one. */
export const createCaches = (redis: Redis | undefined, { isAlone }: { isAlone: boolean }): Caches =>
  redis
    ? { store: redis.store, missing: () => (redis.answers ? [] : ['redis']) }
    : { store: isAlone ? createLocalStore : () => noStore, missing: () => [] };
