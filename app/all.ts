import { createLocalJWKSet } from 'jose';
import pg from 'pg';
import { startGateway } from '../gateway/index.js';
import { ownPrivateKey } from '../platform/auth/keys.js';
import { createTokenSigner, createTokenVerifier } from '../platform/auth/tokens.js';
import { createEmbeddedBus } from '../platform/bus/embedded.js';
import { type Config, ConfigError, databaseUrl, serviceNames } from '../platform/config.js';
import { lockDataDir } from '../platform/data-dir.js';
import { Lifecycle } from '../platform/lifecycle.js';
import type { Log } from '../platform/log.js';
import { startEmbeddedPostgres } from '../platform/postgres/embedded.js';
import { type RunningSubgraph, startSubgraph } from '../platform/subgraph/server.js';
import { deliverySubgraph } from '../subgraphs/delivery/index.js';
import { orderSubgraph } from '../subgraphs/order/index.js';
import { paymentSubgraph } from '../subgraphs/payment/index.js';
import { userSubgraph } from '../subgraphs/user/index.js';
import { serveMetricsAt } from './metrics.js';
import { readSupergraph } from './supergraph.js';

export interface RunningSystem {
  /** The gateway's address, http://host:port. */
  url: string;
  metricsUrl: string | undefined;
  subgraphs: Map<string, RunningSubgraph>;
  /** Where a service keeps its data. */
  databaseUrl(service: string): string;
  stop(): Promise<boolean>;
}

const busDatabase = 'bus';

/**
 * Starts everything in this process: the database where none is named, the embedded bus, the
 * subgraphs on free ports of 127.0.0.1, and the gateway. What has been started is stopped again when
 * a later part fails, or when `told` aborts before all has been started.
 * @throws StoppedError in the latter case
 */
export async function startAll(given: Config, log: Log, told?: AbortSignal): Promise<RunningSystem> {
  if (given.NODE_ENV === 'production' && given.JWT_PRIVATE_KEY === undefined)
    throw new ConfigError('JWT_PRIVATE_KEY must be set where NODE_ENV is production');
  const lifecycle = new Lifecycle({ log, timeoutMs: given.SHUTDOWN_TIMEOUT });
  return lifecycle.begin(() => startParts(given, log, lifecycle), told);
}

async function startParts(given: Config, log: Log, lifecycle: Lifecycle): Promise<RunningSystem> {
  const supergraph = await readSupergraph(given);
  const config = given.embedded ? await withOwnDatabase(given, log, lifecycle) : given;
  if (!given.embedded) await createBusDatabase(config);
  const privateKey = config.JWT_PRIVATE_KEY ?? (await ownPrivateKey(config.DATA_DIR));
  const { jwks } = await createTokenSigner({ privateKey, ttlMs: config.ACCESS_TOKEN_TTL });
  const verifier = createTokenVerifier(createLocalJWKSet(jwks));
  const bus = createEmbeddedBus({ url: databaseUrl(config, busDatabase), log });

  const subgraphs = new Map<string, RunningSubgraph>();
  const { signal } = lifecycle;
  const options = { config, log, bus, verifier, host: '127.0.0.1', port: 0, signal };
  const start = async (service: string, begin: () => Promise<RunningSubgraph>) =>
    subgraphs.set(service, await lifecycle.start(service, begin, (subgraph) => subgraph.stop()));
  await Promise.all([
    start('user', () => startSubgraph(userSubgraph({ privateKey }), options)),
    start('order', () => startSubgraph(orderSubgraph, options)),
    start('payment', () => startSubgraph(paymentSubgraph, options)),
    start('delivery', () => startSubgraph(deliverySubgraph, options)),
  ]);

  await lifecycle.start(
    'bus',
    () => bus.start(),
    () => bus.stop(),
  );
  await Promise.all(
    [...subgraphs.values()].map((subgraph) =>
      lifecycle.start(
        `${subgraph.name} workers`,
        () => subgraph.run(),
        (workers) => workers.stop(),
      ),
    ),
  );

  const subgraphUrls = Object.fromEntries([...subgraphs.values()].map(({ name, url }) => [name, url]));
  const gateway = await lifecycle.start(
    'gateway',
    async () =>
      startGateway({
        host: config.HOST ?? (given.embedded ? '127.0.0.1' : '0.0.0.0'),
        port: config.PORT,
        log,
        supergraph,
        subgraphUrls,
        jwksUrl: new URL('/.well-known/jwks.json', subgraphUrls['user']).toString(),
        readTimeoutMs: config.SERVER_READ_TIMEOUT,
        writeTimeoutMs: config.SERVER_WRITE_TIMEOUT,
        introspection: config.NODE_ENV !== 'production',
      }),
    (running) => running.stop(),
  );
  const metricsUrl = await serveMetricsAt(config, log, lifecycle);
  return {
    url: gateway.url,
    metricsUrl,
    subgraphs,
    databaseUrl: (service) => databaseUrl(config, service),
    stop: () => lifecycle.stop(),
  };
}

/** Starts PostgreSQL under DATA_DIR, and answers the configuration that uses it. */
async function withOwnDatabase(config: Config, log: Log, lifecycle: Lifecycle): Promise<Config> {
  const dataDir = config.DATA_DIR;
  await lifecycle.start(
    'data directory',
    () => lockDataDir(dataDir),
    (unlock) => unlock(),
  );
  log.info({ dataDir }, 'starting PostgreSQL');
  const postgres = await lifecycle.start(
    'postgres',
    () =>
      startEmbeddedPostgres({
        dataDir,
        databases: [...serviceNames, busDatabase],
        log: (line, level) => log[level]({ service: 'postgres' }, line),
      }),
    (server) => server.stop(),
  );
  return { ...config, DATABASE_URL: postgres.url('postgres') };
}

/** The embedded bus keeps its rows in a database of its own, at BUS_DATABASE_URL or else on the server of DATABASE_URL, where it is made when missing. */
async function createBusDatabase(config: Config): Promise<void> {
  if (config.BUS_DATABASE_URL !== undefined) return;
  if (config.DATABASE_URL === undefined)
    throw new ConfigError(
      'BUS_DATABASE_URL must be set too, or DATABASE_URL, where one process runs everything',
    );
  const client = new pg.Client({ connectionString: databaseUrl(config, serviceNames[0] ?? '') });
  // A connection that is lost fails the statement that runs on it, or the next one.
  client.on('error', () => {});
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [busDatabase]);
    if (rowCount === 0) await client.query(`create database ${busDatabase}`);
  } finally {
    await client.end();
  }
}
