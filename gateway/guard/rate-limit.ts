import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Redis } from '../../platform/cache/redis.js';
import { problem } from '../../platform/errors.js';

/** Who has been here lately is remembered, so many of them. */
const mostKnown = 100_000;

/** How often somebody may ask. */
export interface RateLimit {
  /**
   * Takes one request of somebody; answers for how many seconds they have to wait where none is left, or 0. A promise
   * where others have to be asked.
   */
  take(who: string): number | Promise<number>;
}

interface Bucket {
  tokens: number;
  /** When it was filled last, on the clock of performance.now(), in ms. */
  at: number;
}

/** As many as come in a second, one at least. */
const sizeFor = (rps: number): number => Math.max(1, rps);

/**
 * Token buckets: each holds as many requests as may come in a second (one at least), and fills at that rate.
 * Infinity is no limit. `now` is in ms.
 */
export function createRateLimit(
  rps: number,
  now: () => number = () => performance.now(),
): { take(who: string): number } {
  if (rps === Number.POSITIVE_INFINITY) return { take: () => 0 };
  const size = sizeFor(rps);
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

/** What is drawn from a shared bucket and not used is not used later than this, in ms. */
const drawnForMs = 1_000;

interface Share {
  tokens: number;
  /** Until when they may be used, on the clock of performance.now(), in ms. */
  until: number;
  drawing: Promise<number> | undefined;
}

/**
 * The same with buckets that all gateways share, from which each draws a tenth of a second's worth at once: most
 * requests wait for nobody. While Redis is away each counts by itself.
 */
export function createSharedRateLimit(rps: number, redis: Pick<Redis, 'draw'>): RateLimit {
  const alone = createRateLimit(rps);
  if (rps === Number.POSITIVE_INFINITY) return alone;
  const options = { rate: rps, size: sizeFor(rps), wanted: Math.max(1, Math.floor(rps / 10)) };
  const shares = new LRUCache<string, Share>({ max: mostKnown });

  function taken(share: Share): boolean {
    if (share.tokens < 1 || performance.now() > share.until) return false;
    share.tokens -= 1;
    return true;
  }

  /** Resolves to how long to wait where none was there. */
  async function draw(who: string, share: Share): Promise<number> {
    const { drawn, waitS } = await redis.draw(who, options);
    share.tokens = drawn;
    share.until = performance.now() + drawnForMs;
    return drawn > 0 ? 0 : waitS;
  }

  async function takeSlowly(who: string, share: Share): Promise<number> {
    try {
      while (!taken(share)) {
        share.drawing ??= draw(who, share).finally(() => {
          share.drawing = undefined;
        });
        const waitS = await share.drawing;
        if (waitS > 0) return waitS;
      }
      return 0;
    } catch {
      return alone.take(who);
    }
  }

  return {
    take(who) {
      const known = shares.get(who);
      if (known && taken(known)) return 0;
      const share = known ?? { tokens: 0, until: 0, drawing: undefined };
      if (!known) shares.set(who, share);
      return takeSlowly(who, share);
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

/** How many seconds a subgraph has somebody wait who came too often for it; undefined where it refused nobody so. */
export function waitOf(errors: readonly GraphQLFormattedError[] = []): number | undefined {
  const refused = errors.find(({ extensions }) => extensions?.['code'] === 'RATE_LIMITED');
  const wait = refused?.extensions?.['retryAfter'];
  return typeof wait === 'number' && wait > 0 ? Math.ceil(wait) : undefined;
}
