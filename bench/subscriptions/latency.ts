/** When changes were committed, in ms by `now`: those of one stream for all, or of each socket's own. */
export type Commits = { all: number[] } | { each: number[][] };

/** What sockets have received of a round of changes. */
export interface Received {
  /** Sockets that got another number of messages than there were changes for them. */
  wrong: number;
  deliveries: number;
  p50Ms: number;
  p99Ms: number;
  /** The first socket's messages. */
  sample: string[];
}

/**
 * From commit to socket, of all deliveries in order of size: the nth message of a socket tells of the nth change.
 * `times` has `perSocket` places for each socket, of which `counts` says how many are taken.
 */
export function latencies(
  { times, counts, perSocket }: { times: Float64Array; counts: Uint32Array; perSocket: number },
  commits: Commits,
): { wrong: number; sorted: Float64Array } {
  const all: number[] = [];
  let wrong = 0;
  for (const [socket, count] of counts.entries()) {
    const committed = 'all' in commits ? commits.all : (commits.each[socket] ?? []);
    if (count !== committed.length) wrong += 1;
    const both = Math.min(count, committed.length, perSocket);
    for (let n = 0; n < both; n++)
      all.push((times[socket * perSocket + n] as number) - (committed[n] as number));
  }
  return { wrong, sorted: Float64Array.from(all).sort() };
}

/** The smallest of sorted values that so much of them do not exceed. */
export const percentile = (sorted: ArrayLike<number>, share: number): number =>
  sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? Number.NaN;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}
