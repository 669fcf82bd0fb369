const times = new WeakMap<object, number>();

/** Remembers when a change was committed, as near as its row can tell, for as long as the value lives. */
export const noteCommit = (value: object, at: Date): void => void times.set(value, at.getTime());

/** When a value that came live was committed, in ms since 1970; undefined for what came otherwise. */
export const committedAt = (value: unknown): number | undefined =>
  typeof value === 'object' && value !== null ? times.get(value) : undefined;
