/** A change as its database has it. */
export interface Row {
  position: string;
  status: string;
  orderId: string;
  /** About when it was committed, in ms since 1970. */
  at: number;
}

export interface Event {
  position: string;
  status: string;
}

/** How what somebody has seen differs from what there was. */
export interface Difference {
  /** Of those that had to be seen, so many were not. */
  gaps: number;
  /** So many were seen again. */
  doubles: number;
  /** What was seen in the wrong order, or never happened; a line each. */
  wrong: string[];
}

/**
 * Holds what was seen of one order against its history: from the first event on, which is the state at that time,
 * each change once, in order.
 */
export function compareHistory(rows: readonly Row[], seen: readonly Event[]): Difference {
  const first = rows.findIndex(({ position }) => position === seen[0]?.position);
  const expected = first < 0 ? rows : rows.slice(first);
  return compare(rows, expected, seen);
}

/**
 * Holds what was seen of a feed against all its changes: first the last change of each order that was open at some
 * moment, then each change since. Which moment is not known: any that fits will do.
 */
export function compareFeed(
  rows: readonly Row[],
  seen: readonly Event[],
  isOpen: (status: string) => boolean,
): Difference {
  const present = new Map<string, number>();
  let size = 0;
  let best: Difference | undefined;
  for (let until = 0; until <= rows.length; until++) {
    // A moment at which the number of events is right is worth a closer look.
    if (size + rows.length - until === seen.length || until === 0) {
      const expected = [
        ...[...present.values()].sort((a, b) => a - b).map((index) => rows[index] as Row),
        ...rows.slice(until),
      ];
      const difference = compare(rows, expected, seen);
      if (difference.gaps + difference.doubles + difference.wrong.length === 0) return difference;
      best ??= difference;
    }
    const row = rows[until];
    if (!row) break;
    present.delete(row.orderId);
    if (isOpen(row.status)) present.set(row.orderId, until);
    size = present.size;
  }
  return best as Difference;
}

function compare(all: readonly Row[], expected: readonly Row[], seen: readonly Event[]): Difference {
  const wrong: string[] = [];
  const places = new Map(all.map((row, index) => [row.position, { row, index }]));
  const had = new Set<string>();
  let doubles = 0;
  let last = -1;
  for (const { position, status } of seen) {
    const place = places.get(position);
    if (!place) wrong.push(`${status} at ${position} never happened`);
    else if (place.row.status !== status)
      wrong.push(`${status} at ${position}, which was ${place.row.status}`);
    else if (had.has(position)) doubles++;
    else if (place.index < last) wrong.push(`${status} at ${position} came after what followed it`);
    had.add(position);
    last = Math.max(last, place?.index ?? -1);
  }
  return { gaps: expected.filter(({ position }) => !had.has(position)).length, doubles, wrong };
}
