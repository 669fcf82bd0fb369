/**
 * One service as a process of its own, as `bin/doorstep <service>` starts it, but without a broker: where nothing
 * happens but reads, no event would travel. With `heard` its own events reach itself, by the embedded bus: that is
 * enough for who watches changes. It keeps rows that it has read in the Redis of REDIS_URL, with `BENCH_CACHE=here` in
 * itself, and else nowhere. `node dist/bench/service.js <service> [heard]`
 */
import { verifierOf } from '../app/keys.js';
import { serveMetricsAt } from '../app/metrics.js';
import { peersOf } from '../app/peers.js';
import { startRedis } from '../app/redis.js';
import { runOnBus } from '../app/running.js';
import { startNamed } from '../app/subgraphs.js';
import { remoteKeys } from '../platform/auth/keys.js';
import { createTokenVerifier } from '../platform/auth/tokens.js';
import type { Bus } from '../platform/bus/bus.js';
import { createEmbeddedBus } from '../platform/bus/embedded.js';
import { createCaches } from '../platform/cache/caches.js';
import { databaseUrl, loadConfig, serviceNames } from '../platform/config.js';
import { Lifecycle } from '../platform/lifecycle.js';
import { createLog } from '../platform/log.js';

/** A bus that is always there and on which nothing comes. */
const quiet: Bus = {
  name: 'bus',
  ready: true,
  async publish() {},
  consume() {},
  listen() {},
  async start() {},
  async stop() {},
  lag: async () => [],
  countDeadLetters: async () => 0,
  deadLetters: async () => [],
  replayDeadLetters: async () => 0,
};

const name = serviceNames.find((known) => known === process.argv[2]);
if (!name) throw new Error(`a service is wanted: ${serviceNames.join(', ')}`);
const config = loadConfig(process.env, { services: [name], alone: true });
const log = createLog({ level: config.LOG_LEVEL, format: config.LOG_FORMAT, app: config.APP_NAME });
const lifecycle = new Lifecycle({ log, timeoutMs: config.SHUTDOWN_TIMEOUT });
const bus = process.argv[3] === 'heard' ? createEmbeddedBus({ url: databaseUrl(config, 'bus'), log }) : quiet;
process.on('SIGTERM', () => void lifecycle.stop().then((clean) => process.exit(clean ? 0 : 1)));

// Only `user` signs; the others ask it for the keys, as they do in production.
const { JWT_PRIVATE_KEY: privateKey = '', JWKS_URL = '' } = config;
const verifier = await (name === 'user'
  ? verifierOf({ privateKey })
  : createTokenVerifier(remoteKeys(JWKS_URL)));
await lifecycle.begin(async () => {
  await serveMetricsAt(config, log, lifecycle);
  const redis = await startRedis(config, log, lifecycle);
  const caches = createCaches(redis, { isAlone: process.env['BENCH_CACHE'] === 'here' });
  const subgraph = await lifecycle.start(
    name,
    () =>
      startNamed(name, {
        ...{ config, log, bus, verifier, keys: { privateKey }, peers: peersOf(config, () => undefined) },
        caches,
        ...{ host: config.HOST, port: config.PORT, signal: lifecycle.signal },
      }),
    (started) => started.stop(),
  );
  await runOnBus(lifecycle, bus, [subgraph]);
});
