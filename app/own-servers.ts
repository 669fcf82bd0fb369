import pg from 'pg';
import { type Config, ConfigError, databaseUrl, serviceNames } from '../platform/config.js';
import { lockDataDir } from '../platform/data-dir.js';
import { startLocalKafka } from '../platform/kafka/broker/keeper.js';
import type { Lifecycle } from '../platform/lifecycle.js';
import type { Log } from '../platform/log.js';
import { startEmbeddedPostgres } from '../platform/postgres/embedded.js';
import { whenReachable } from '../platform/postgres/reach.js';
import { busDatabase } from './bus.js';

/**
 * Whether no other process serves from the same databases: into a DATA_DIR, and onto an embedded bus, one is let at a time.
 * With brokers and databases that are named there may be any number, each of which would miss the others' writes.
 */
export const isAlone = ({ embedded, KAFKA_BROKERS }: Config): boolean =>
  embedded || KAFKA_BROKERS === undefined;

/** Starts PostgreSQL under DATA_DIR, and answers the configuration that uses it. */
export async function withOwnDatabase(config: Config, log: Log, lifecycle: Lifecycle): Promise<Config> {
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

/**
 * The addresses of the databases, for a command that is over soon: starts PostgreSQL under DATA_DIR where none
 * is named, and stops it when it is closed.
 * @throws where another process runs on that DATA_DIR
 */
export async function reachDatabases(
  config: Config,
): Promise<{ url: (database: string) => string; close: () => Promise<void> }> {
  if (!config.embedded) return { url: (name) => databaseUrl(config, name), close: async () => undefined };
  const unlock = await lockDataDir(config.DATA_DIR);
  try {
    const databases = [...serviceNames, busDatabase];
    const server = await startEmbeddedPostgres({ dataDir: config.DATA_DIR, databases });
    return {
      url: (name) => server.url(name),
      async close() {
        await server.stop();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Starts a Kafka broker under DATA_DIR, and answers the configuration that uses it. */
export async function withOwnKafka(config: Config, log: Log, lifecycle: Lifecycle): Promise<Config> {
  const dataDir = config.DATA_DIR;
  log.info({ dataDir }, 'starting Kafka');
  const kafka = await lifecycle.start(
    'kafka',
    () =>
      startLocalKafka({
        dataDir,
        log: (line, level) => log[level]({ service: 'kafka' }, line),
        signal: lifecycle.signal,
      }),
    (broker) => broker.stop(),
  );
  return { ...config, KAFKA_BROKERS: [kafka.brokers] };
}

/** The embedded bus keeps its rows in a database of its own, at BUS_DATABASE_URL or else on the server of DATABASE_URL, where it is made when missing. */
export async function createBusDatabase(config: Config, log: Log, signal: AbortSignal): Promise<void> {
  if (config.BUS_DATABASE_URL !== undefined) return;
  if (config.DATABASE_URL === undefined)
    throw new ConfigError(
      'BUS_DATABASE_URL must be set too, or DATABASE_URL, where one process runs everything',
    );
  const url = databaseUrl(config, serviceNames[0] ?? '');
  await whenReachable({ url, log, signal, work: () => createDatabase(url, busDatabase) });
}

/** Makes a database that is missing on the server of this `url`. */
async function createDatabase(url: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  // A connection that is lost fails the statement that runs on it, or the next one.
  client.on('error', () => {});
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}
