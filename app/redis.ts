import type { Redis } from '../platform/cache/redis.js';
import type { Config } from '../platform/config.js';
import type { Lifecycle } from '../platform/lifecycle.js';
import type { Log } from '../platform/log.js';

/** The Redis of REDIS_URL, whether or not it answers; undefined where none is named. */
export async function startRedis(config: Config, log: Log, lifecycle: Lifecycle): Promise<Redis | undefined> {
  const { REDIS_URL: url, APP_NAME: prefix } = config;
  if (url === undefined) return undefined;
  return lifecycle.start(
    'redis',
    // A quarter of what a service loads: only where it is used.
    async () => (await import('../platform/cache/redis.js')).createRedis({ url, prefix, log }),
    (redis) => redis.close(),
  );
}
