import { isConnectionFailure } from './error.js';

const mostTries = 3;
const firstPauseMs = 50;
/** So many calls pay for one retry. */
const callsPerRetry = 10;
/** Whoever says these, often a proxy, had no part that could answer. */
const awayStatuses = new Set([502, 503, 504]);

/** Whether a call that failed may be sent again: what is safe to repeat, and what certainly was not sent. */
export function mayRepeat(
  { safe }: { safe: boolean },
  { sent, status, failure }: { sent: boolean; status: number | undefined; failure: Error },
): boolean {
  if (status !== undefined) return safe && awayStatuses.has(status);
  return (safe || !sent) && isConnectionFailure(failure);
}

/** When the calls of one part are tried again. */
export interface Retries {
  /** A call, which pays for a tenth of a retry. */
  earn(): void;
  /**
   * Takes a retry for a call that was tried so often, and answers how long it waits, in ms: exponential, with
   * full jitter. Undefined where it would be one too many, or later than `end` on the clock of performance.now().
   */
  take(tries: number, end: number): number | undefined;
  /**
   * The same for a call whose connection was closed while it was idle, and which gets a new one: it need not wait, and is
   * paid for by nobody, since nothing says that the part is away.
   */
  renew(tries: number): number | undefined;
}

/** Retries out of a budget: so many at first, which is also the most that is saved up, however long an outage is. */
export function createRetries(options: {
  budget: number;
  onRetry: () => void;
  onExhausted: () => void;
}): Retries {
  const full = options.budget * callsPerRetry;
  let saved = full;
  return {
    earn() {
      if (saved < full) saved++;
    },
    take(tries, end) {
      if (tries >= mostTries) return undefined;
      const pauseMs = Math.random() * firstPauseMs * 2 ** (tries - 1);
      if (performance.now() + pauseMs >= end) return undefined;
      if (saved < callsPerRetry) {
        options.onExhausted();
        return undefined;
      }
      saved -= callsPerRetry;
      options.onRetry();
      return pauseMs;
    },
    renew(tries) {
      if (tries >= mostTries) return undefined;
      options.onRetry();
      return 0;
    },
  };
}
