import { randomUUID } from 'node:crypto';
import { createClient, defineScript } from '@redis/client';
import type { Log } from '../log.js';
import { type CacheEntry, type CacheStore, keptMs, leaseMs, type Taken } from './store.js';

/** Redis answers sooner than this, or it is away. */
const patienceMs = 500;
/** How long nobody asks it that was away. */
const restMs = 1_000;

/** All parts of a process that use Redis share one connection. */
export interface Redis {
  /** Whether it answers, as far as is known. */
  readonly answers: boolean;
  /** A store of its own, by name: nothing in it is another's. */
  store(name: string): CacheStore;
  /** Takes up to `wanted` of what a bucket holds, which fills by `rate` a second up to `size`. */
  draw(bucket: string, options: { rate: number; size: number; wanted: number }): Promise<Drawn>;
  close(): Promise<void>;
}

export interface Drawn {
  /** How many were taken. */
  drawn: number;
  /** In how many seconds there is one. */
  waitS: number;
}

/** Redis does not answer. Its code is a network's, so that whoever waits for outages waits for this one too. */
export class RedisAway extends Error {
  override name = 'RedisAway';
  readonly code = 'ECONNREFUSED';
}

/**
 * Keys hold the epoch of their store, which no other has had: without it all is forgotten at once, be it that this was
 * wanted or that Redis had no room for it.
 */
const keyOf =
  "local epoch = redis.call('GET', KEYS[1]) local function at(id) return KEYS[1] .. ':' .. epoch .. ':' .. id end ";
/** Nothing is kept in none. */
const orNothing = 'if not epoch then return end ';

const scripts = {
  take: defineScript({
    NUMBER_OF_KEYS: 1,
    // A lease that nobody has had yet is as good a name for an epoch.
    SCRIPT: `${keyOf} if not epoch then epoch = ARGV[1] redis.call('SET', KEYS[1], epoch) end
    local found = {} for i = 3, #ARGV do
      local value = redis.call('GET', at(ARGV[i]))
      if value then found[i - 2] = { value } else
        local lease = redis.call('GET', at(ARGV[i]) .. ':lease')
        if not lease then
          lease = ARGV[1]
          redis.call('SET', at(ARGV[i]) .. ':lease', lease, 'PX', ARGV[2])
        end
        found[i - 2] = { false, lease }
      end
    end return found`,
    parseCommand(parser, key: string, lease: string, ids: readonly string[]) {
      parser.pushKey(key);
      parser.push(lease, String(leaseMs), ...ids);
    },
    transformReply: ((reply: [string | null, string][]) =>
      reply.map(([value, lease]) =>
        typeof value === 'string' ? { value } : { lease },
      )) as unknown as () => Taken[],
  }),
  put: defineScript({
    NUMBER_OF_KEYS: 1,
    SCRIPT: `${keyOf} ${orNothing} for i = 2, #ARGV, 3 do
      local lease = at(ARGV[i]) .. ':lease'
      if redis.call('GET', lease) == ARGV[i + 1] then
        redis.call('DEL', lease) redis.call('SET', at(ARGV[i]), ARGV[i + 2], 'PX', ARGV[1])
      end
    end`,
    parseCommand(parser, key: string, entries: readonly CacheEntry[]) {
      parser.pushKey(key);
      parser.push(String(keptMs), ...entries.flatMap((entry) => [entry.key, entry.lease, entry.value]));
    },
    transformReply: undefined as unknown as () => null,
  }),
  drop: defineScript({
    NUMBER_OF_KEYS: 1,
    SCRIPT: `${keyOf} ${orNothing} for i = 1, #ARGV do redis.call('DEL', at(ARGV[i]), at(ARGV[i]) .. ':lease') end`,
    parseCommand(parser, key: string, ids: readonly string[]) {
      parser.pushKey(key);
      parser.push(...ids);
    },
    transformReply: undefined as unknown as () => null,
  }),
  draw: defineScript({
    NUMBER_OF_KEYS: 1,
    // By Redis's own clock: those of its clients differ.
    SCRIPT: `local rate, size, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
      local time = redis.call('TIME') local now = time[1] + time[2] / 1000000
      local known = redis.call('HMGET', KEYS[1], 'tokens', 'at')
      local tokens = size
      if known[1] then tokens = math.min(size, known[1] + math.max(0, now - known[2]) * rate) end
      local drawn = math.max(0, math.min(wanted, math.floor(tokens)))
      tokens = tokens - drawn
      redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.6f', now))
      redis.call('PEXPIRE', KEYS[1], math.ceil(size / rate * 1000) + 1000)
      return { drawn, tostring(math.max(0, (1 - tokens) / rate)) }`,
    parseCommand(parser, key: string, rate: number, size: number, wanted: number) {
      parser.pushKey(key);
      parser.push(String(rate), String(size), String(wanted));
    },
    transformReply: ((reply: [number, string]) => ({
      drawn: reply[0],
      waitS: Number(reply[1]),
    })) as unknown as () => Drawn,
  }),
};

/** Connects in the background, and again for as long as it takes; nothing here waits for that. */
export function createRedis(options: { url: string; prefix: string; log: Log }): Redis {
  const { url, prefix, log } = options;
  const client = createClient({
    url,
    scripts,
    disableOfflineQueue: true,
    socket: {
      connectTimeout: 5_000,
      reconnectStrategy: (retries) =>
        Math.min(50 * 2 ** Math.min(retries, 10), 2_000) * (0.5 + Math.random() / 2),
    },
  });
  let restsUntil = 0;
  let wasAway = false;
  let isClosed = false;
  /** Stores in which something could not be dropped, and how often: before anything of them is used again, all of it is. */
  const stale = new Map<string, number>();
  const opened = new Set<string>();
  let isFirst = true;
  const doubt = (key: string): void => void stale.set(key, (stale.get(key) ?? 0) + 1);

  const isAway = (): boolean => !client.isReady || performance.now() < restsUntil;
  function note(away: boolean, reason?: unknown): void {
    if (away) restsUntil = performance.now() + restMs;
    if (away === wasAway || isClosed) return;
    wasAway = away;
    if (away)
      log.warn(
        { reason: String((reason as Error)?.message ?? reason) },
        'Redis is away: work goes on without it',
      );
    else log.info('Redis answers');
  }
  client.on('error', (error) => note(true, error));
  client.on('ready', () => {
    restsUntil = 0;
    note(false);
    // It may come back with what it had on its disk, or as a copy that is behind: some of it was dropped since.
    if (!isFirst) for (const key of opened) doubt(key);
    isFirst = false;
  });
  client.connect().catch((error: unknown) => note(true, error));

  /** @throws RedisAway */
  async function ask<T>(work: () => Promise<T>): Promise<T> {
    if (isAway()) throw new RedisAway('Redis is away');
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new RedisAway(`Redis did not answer in ${patienceMs} ms`)), patienceMs);
    });
    const answer = work();
    answer.catch(() => undefined);
    try {
      const answered = await Promise.race([answer, tooLate]);
      // One that hung is back without a new connection.
      note(false);
      return answered;
    } catch (error) {
      note(true, error);
      throw error instanceof RedisAway ? error : new RedisAway('Redis failed', { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    get answers() {
      return !isAway();
    },
    store(name) {
      const key = `${prefix}:cache:{${name}}`;
      opened.add(key);
      /** @throws RedisAway */
      async function renew(): Promise<void> {
        const times = stale.get(key);
        if (times === undefined) return;
        await ask(() => client.del(key));
        // What could not be dropped since may have been put since.
        if (stale.get(key) === times) stale.delete(key);
      }
      return {
        async take(ids) {
          await renew();
          return ask(() => client.take(key, randomUUID(), ids));
        },
        async put(entries) {
          await ask(() => client.put(key, entries));
        },
        async drop(ids) {
          try {
            await renew();
            await ask(() => client.drop(key, ids));
          } catch (error) {
            doubt(key);
            throw error;
          }
        },
      };
    },
    draw: (bucket, { rate, size, wanted }) =>
      ask(() => client.draw(`${prefix}:rate:{${bucket}}`, rate, size, wanted)),
    async close() {
      isClosed = true;
      client.destroy();
    },
  };
}
