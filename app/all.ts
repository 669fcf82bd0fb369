import { startGateway } from '../gateway/index.js';
import { loadSupergraph } from '../gateway/supergraph.js';
import { ownPrivateKey } from '../platform/auth/keys.js';
import { createCaches } from '../platform/cache/caches.js';
import { type Config, ConfigError, databaseUrl, serviceNames } from '../platform/config.js';
import { Lifecycle } from '../platform/lifecycle.js';
import type { Log } from '../platform/log.js';
import type { RunningSubgraph } from '../platform/subgraph/server.js';
import { createBus } from './bus.js';
import { gatewaySettings } from './gateway-settings.js';
import { verifierOf } from './keys.js';
import { serveMetricsAt } from './metrics.js';
import { createBusDatabase, isAlone, withOwnDatabase, withOwnKafka } from './own-servers.js';
import { peersOf } from './peers.js';
import { startRedis } from './redis.js';
import { type Running, runOnBus } from './running.js';
import { startNamed } from './subgraphs.js';
import { readSupergraph, supergraphPath } from './supergraph.js';
import { watchSupergraph } from './supergraph-watch.js';

export interface RunningSystem extends Running {
  subgraphs: Map<string, RunningSubgraph>;
  /** Where a service keeps its data. */
  databaseUrl(service: string): string;
}

export interface AllOptions {
  /** Starts a Kafka broker too, for the events. */
  kafka?: boolean;
}

/** Enough for the requests of clients that are busy to be answered; whoever stops all of it waits for it. */
const lameDuckMs = 100;

/**
 * Starts everything in this process: the database where none is named, the subgraphs on free ports of
 * 127.0.0.1, the bus (Kafka where brokers are named or asked for, the embedded one otherwise), and the gateway.
 * What has been started is stopped again when a later part fails, or when `told` aborts before all has been
 * started.
 * @throws StoppedError in the latter case
 */
export async function startAll(
  given: Config,
  log: Log,
  told?: AbortSignal,
  options: AllOptions = {},
): Promise<RunningSystem> {
  if (given.NODE_ENV === 'production' && given.JWT_PRIVATE_KEY === undefined)
    throw new ConfigError('JWT_PRIVATE_KEY must be set where NODE_ENV is production');
  if (options.kafka && given.KAFKA_BROKERS)
    throw new ConfigError('KAFKA_BROKERS is set: leave out --kafka to use them, or unset it');
  const lifecycle = new Lifecycle({ log, timeoutMs: given.SHUTDOWN_TIMEOUT });
  return lifecycle.begin(() => startParts(given, log, lifecycle, options), told);
}

async function startParts(
  given: Config,
  log: Log,
  lifecycle: Lifecycle,
  options: AllOptions,
): Promise<RunningSystem> {
  const supergraph = await readSupergraph(given);
  // Before a database is made for one that is refused.
  loadSupergraph(supergraph);
  const settings = await gatewaySettings(given);
  const stored = given.embedded ? await withOwnDatabase(given, log, lifecycle) : given;
  const config = options.kafka ? await withOwnKafka(stored, log, lifecycle) : stored;
  const { signal } = lifecycle;
  if (!given.embedded && !config.KAFKA_BROKERS) await createBusDatabase(config, log, signal);
  const privateKey = config.JWT_PRIVATE_KEY ?? (await ownPrivateKey(config.DATA_DIR));
  const keys = { privateKey, previousKeys: config.JWT_PREVIOUS_KEYS ?? [] };
  const verifier = await verifierOf(keys);
  const redis = await startRedis(config, log, lifecycle);
  const caches = createCaches(redis, { isAlone: isAlone(config) });
  const bus = createBus(config, 'all', log);

  const place = { host: '127.0.0.1', port: 0 };
  const urls = new Map<string, string>();
  const peers = peersOf(config, (service) => urls.get(service));
  const subgraphs = await Promise.all(
    serviceNames.map((name) =>
      lifecycle.start(
        name,
        () => startNamed(name, { config, log, bus, verifier, peers, caches, keys, signal, ...place }),
        (subgraph) => subgraph.stop(),
      ),
    ),
  );
  for (const { name, url } of subgraphs) urls.set(name, url);
  await runOnBus(lifecycle, bus, subgraphs);

  const subgraphUrls = Object.fromEntries(subgraphs.map(({ name, url }) => [name, url]));
  const gateway = await lifecycle.start(
    'gateway',
    () =>
      startGateway({
        host: config.HOST,
        port: config.PORT,
        log,
        supergraph,
        subgraphUrls,
        jwksUrl: new URL('/.well-known/jwks.json', subgraphUrls['user']).toString(),
        ...settings,
        redis,
        lameDuckMs,
      }),
    (running) => running.stop(),
  );
  await lifecycle.start(
    'supergraph watch',
    () => watchSupergraph({ path: supergraphPath(config), served: supergraph, swap: gateway.swap, log }),
    (watch) => watch.stop(),
  );
  const metricsUrl = await serveMetricsAt(config, log, lifecycle);
  return {
    url: gateway.url,
    page: true,
    keys: true,
    demoAccounts: config.DEMO_DATA,
    metricsUrl,
    subgraphs: new Map(subgraphs.map((subgraph) => [subgraph.name, subgraph])),
    databaseUrl: (service) => databaseUrl(config, service),
    stop: () => lifecycle.stop(),
  };
}
