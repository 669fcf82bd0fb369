const tryAgainAfterMs = 5_000;

/** Remembers of a subgraph whether its last fetch timed out. */
export interface Hanging {
  /** Whether a fetch would only wait for its time to be over. */
  refuses(): boolean;
  answered(): void;
  failed(error: unknown): void;
}

/**
 * Spares the requests of a subgraph that hangs the wait for it: none is sent from a fetch that timed out until
 * the subgraph is ready again. One may try every 5 s all the same, lest one that answers fetches and never says
 * that it is ready stays out for ever. `now` is in ms.
 */
export function watchHanging(isMissing: () => boolean, now: () => number = () => performance.now()): Hanging {
  let hungAt: number | undefined;
  return {
    refuses() {
      if (hungAt === undefined || !isMissing()) return false;
      if (now() - hungAt < tryAgainAfterMs) return true;
      hungAt = now();
      return false;
    },
    answered() {
      hungAt = undefined;
    },
    failed(error) {
      // That of our limit, or undici's of connecting: ConnectTimeoutError.
      const timedOut = error instanceof Error && error.name.endsWith('TimeoutError');
      hungAt = timedOut ? now() : undefined;
    },
  };
}
