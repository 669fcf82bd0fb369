import type { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import { problem } from '../../platform/errors.js';

/** Who has been here lately is remembered, so many of them. */
const mostKnown = 100_000;

/** How often somebody may ask. */
export interface RateLimit {
  /** Takes one request of somebody; answers for how many seconds they have to wait where none is left, or 0. */
  take(who: string): number;
}

interface Bucket {
  tokens: number;
  /** When it was filled last, on the clock of performance.now(), in ms. */
  at: number;
}

/**
 * Token buckets: each holds as many requests as may come in a second (one at least), and fills at that rate.
 * Infinity is no limit. `now` is in ms.
 */
export function createRateLimit(rps: number, now: () => number = () => performance.now()): RateLimit {
  if (rps === Number.POSITIVE_INFINITY) return { take: () => 0 };
  const size = Math.max(1, rps);
  const buckets = new LRUCache<string, Bucket>({ max: mostKnown });
  return {
    take(who) {
      const at = now();
      const known = buckets.get(who);
      if (!known) {
        buckets.set(who, { tokens: size - 1, at });
        return 0;
      }
      known.tokens = Math.min(size, known.tokens + ((at - known.at) / 1000) * rps);
      known.at = at;
      if (known.tokens < 1) return (1 - known.tokens) / rps;
      known.tokens -= 1;
      return 0;
    },
  };
}

/** The refusal of who has to wait. */
export function tooOften(seconds: number): GraphQLError {
  const retryAfter = Math.max(1, Math.ceil(seconds));
  return problem('RATE_LIMITED', `That is too often; try again in ${retryAfter} s.`, {
    retryAfter,
    http: { status: 429, retryAfterS: retryAfter },
  });
}
