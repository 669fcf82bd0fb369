import DataLoader from 'dataloader';

/** A loader of one row a key; a key without a row loads null. */
export function rowLoader<R>(read: (keys: readonly string[]) => Promise<R[]>, keyOf: (row: R) => string) {
  return new DataLoader<string, R | null>(async (keys) => {
    const rows = new Map((await read(keys)).map((row) => [keyOf(row), row]));
    return keys.map((key) => rows.get(key) ?? null);
  });
}

/** A loader of many rows a key, in the order in which they were read. */
export function rowsLoader<R>(read: (keys: readonly string[]) => Promise<R[]>, keyOf: (row: R) => string) {
  return new DataLoader<string, R[]>(async (keys) => {
    const groups = new Map<string, R[]>(keys.map((key) => [key, []]));
    for (const row of await read(keys)) groups.get(keyOf(row))?.push(row);
    return keys.map((key) => groups.get(key) ?? []);
  });
}

/** One value for each distinct key: what lets equal lists of many parents share a loader. */
export function memo<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}

/**
 * One read for all who ask before it begins: requests have loaders of their own, and so have events, of which many
 * come at once. Nobody gets what was read before they asked. Rows come in the order in which they were read, for each
 * key; a read that fails does so for all.
 */
export function together<R>(
  read: (keys: readonly string[]) => Promise<R[]>,
  keyOf: (row: R) => string,
): (keys: readonly string[]) => Promise<R[]> {
  let next: { keys: Set<string>; rows: Promise<Map<string, R[]>> } | undefined;

  function begin() {
    const keys = new Set<string>();
    // The loaders' own turn comes first.
    const rows = new Promise<void>((resolve) => queueMicrotask(() => process.nextTick(resolve))).then(
      async () => {
        next = undefined;
        return groupBy(await read([...keys]), keyOf);
      },
    );
    return { keys, rows };
  }

  return async (keys) => {
    next ??= begin();
    const { keys: all, rows } = next;
    for (const key of keys) all.add(key);
    const found = await rows;
    return keys.flatMap((key) => found.get(key) ?? []);
  };
}

function groupBy<R>(rows: readonly R[], keyOf: (row: R) => string): Map<string, R[]> {
  const groups = new Map<string, R[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
