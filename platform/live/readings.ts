import type { Reading, Watch } from './source.js';

/** What a statement over many watches is told of them, a list for each: ids, positions, limits, known. */
export const columnsOf = <P>(watches: Watch<P>[]) =>
  [
    watches.map(({ id }) => id),
    watches.map(({ after }) => after),
    watches.map(({ limit }) => limit),
    watches.map(({ known }) => known),
  ] as const;

/**
 * Puts the rows of a statement over many watches together. `place` is the watch's, from 1; `read` says what one row
 * tells, which is one change at most. Of several rows the last one says where the watch stands.
 */
export function toReadings<R extends { place: number }, T, P>(
  watches: Watch<P>[],
  rows: R[],
  read: (row: R, watch: Watch<P>) => Reading<T, P>,
): (Reading<T, P> | undefined)[] {
  const readings: (Reading<T, P> | undefined)[] = watches.map(() => undefined);
  for (const row of rows) {
    const index = row.place - 1;
    const watch = watches[index];
    if (!watch) continue;
    const reading = read(row, watch);
    const before = readings[index]?.changes;
    before?.push(...reading.changes);
    readings[index] = before ? { ...reading, changes: before } : reading;
  }
  return readings;
}
