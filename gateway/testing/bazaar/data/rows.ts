/**
 * A thing of the bazaar, with the fields that any subgraph has; each shows those of its own schema. A field may
 * be a function of its arguments, as graphql's default resolver calls them. `_key` names the thing, or the place
 * of a value within one, whichever way it was reached: faults are decided by it.
 */
export interface Row {
  _key: string;
  __typename: string;
  /** Subgraphs that do not have it, though others refer to it. */
  _absent: readonly string[];
  [field: string]: unknown;
}

/** What rows refer to others with, once all are there. */
export interface World {
  /** @throws Error where there is no such row */
  one(id: string): Row;
  /** Null stays null, in the list too. */
  all(ids: readonly (string | null)[] | null): (Row | null)[] | null;
  /** Those that a subgraph has. */
  of(typenames: readonly string[], subgraph: string): Row[];
}

/** Makes a row: functions stay, every plain object in it gets a key. */
export const row = (
  typename: string,
  id: string,
  fields: Record<string, unknown>,
  absent: readonly string[] = [],
): Row => ({
  ...(withKeys(id, fields) as Record<string, unknown>),
  _key: id,
  _absent: absent,
  __typename: typename,
});

export function withKeys(key: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((inner, index) => withKeys(`${key}.${index}`, inner));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, inner]) => [name, withKeys(`${key}.${name}`, inner)]);
  return { _key: key, ...Object.fromEntries(fields) };
}

export function worldOf(rowsOf: readonly ((world: World) => readonly Row[])[]): World {
  const rows = new Map<string, Row>();
  const world: World = {
    one(id) {
      const found = rows.get(id);
      if (!found) throw new Error(`the bazaar has no ${id}`);
      return found;
    },
    all: (ids) => ids?.map((id) => (id === null ? null : world.one(id))) ?? null,
    of: (typenames, subgraph) =>
      [...rows.values()].filter(
        ({ __typename, _absent }) => typenames.includes(__typename) && !_absent.includes(subgraph),
      ),
  };
  for (const row of rowsOf.flatMap((make) => make(world))) rows.set(row._key, row);
  return world;
}

/** The first of a list, all where no count is given. */
export const firstOf = <T>(list: readonly T[] | null, count: number | null | undefined): T[] | null =>
  list?.slice(0, Math.max(count ?? list.length, 0)) ?? null;
