import { metrics } from '../metrics.js';
import type { CacheStore } from './store.js';

/** Rows that are often read and seldom change, by their ids. */
export interface RowCache<R> {
  /** Those of these ids that there are, in any order. What is not kept is read together. */
  read(ids: readonly string[]): Promise<R[]>;
  /**
   * Rows have changed: whoever reads from when this resolves sees the change. Where the store is away nothing of it
   * is used before it has forgotten them, by this process.
   * @throws RedisAway where others may see what it still has, until this is called again
   */
  forget(ids: readonly string[]): Promise<void>;
}

/** The names of all columns that every row has. */
type Columns<R> = { [K in keyof R as undefined extends R[K] ? never : K]: true };

/**
 * Keeps rows in a store. Those who miss the same at once have it read once. A store that is away is done without.
 * A row without one of its columns is read anew: another release of the service may have put it. `revive` makes a row
 * of its JSON again, in which times are texts.
 */
export function createRowCache<R extends { id: string }>(options: {
  name: string;
  store: CacheStore;
  read: (ids: readonly string[]) => Promise<R[]>;
  columns: Columns<R>;
  revive: (json: R) => R;
}): RowCache<R> {
  const { name, store, read, revive } = options;
  const columns = Object.keys(options.columns);
  const [hits, misses, bypassed] = (['hit', 'miss', 'away'] as const).map((result) =>
    metrics.cacheReads.labels(name, result),
  );
  /** Undefined for what is no row: it is read anew. */
  function revived(text: string): R | undefined {
    try {
      const json = JSON.parse(text);
      return columns.every((column) => Object.hasOwn(json, column)) ? revive(json) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Reads that are under way, by lease and id: nobody has changed a row since its lease was given. */
  const underWay = new Map<string, Promise<R | undefined>>();

  /** Reads rows that are not kept, but for those that are being read, and puts them. */
  function load(missing: ReadonlyMap<string, string>): Promise<R | undefined>[] {
    const placeOf = (id: string) => `${missing.get(id)} ${id}`;
    const all = [...missing.keys()];
    const own = all.filter((id) => !underWay.has(placeOf(id)));
    if (own.length > 0) {
      const reading = read(own).then((rows) => new Map(rows.map((row) => [row.id, row])));
      for (const id of own)
        underWay.set(
          placeOf(id),
          reading.then((rows) => rows.get(id)),
        );
      reading
        .then((rows) =>
          store.put(
            [...rows].map(([id, row]) => ({
              key: id,
              lease: missing.get(id) ?? '',
              value: JSON.stringify(row),
            })),
          ),
        )
        // Who reads is told; what could not be put is read again.
        .catch(() => undefined)
        .finally(() => {
          for (const id of own) underWay.delete(placeOf(id));
        });
    }
    return all.map((id) => underWay.get(placeOf(id)) as Promise<R | undefined>);
  }

  return {
    async read(ids) {
      const taken = await store.take(ids).catch(() => undefined);
      if (!taken) {
        bypassed?.inc(ids.length);
        return read(ids);
      }
      const rows: R[] = [];
      const missing = new Map<string, string>();
      for (const [index, id] of ids.entries()) {
        const one = taken[index];
        const row = one?.value === undefined ? undefined : revived(one.value);
        if (row) rows.push(row);
        else missing.set(id, one?.value === undefined ? (one?.lease ?? '') : '');
      }
      hits?.inc(rows.length);
      if (missing.size === 0) return rows;
      misses?.inc(missing.size);
      for (const row of await Promise.all(load(missing))) if (row) rows.push(row);
      return rows;
    },
    forget: store.drop,
  };
}
