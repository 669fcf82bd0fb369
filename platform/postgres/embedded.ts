import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { ensureDataDir } from '../data-dir.js';
import { type KeeperLog, keep } from '../keeper.js';
import { binaries, checkReachable, owner } from './binaries.js';
import { openCluster } from './cluster.js';
import { databaseUrl, findRunning, type Server, startServer, stopServer } from './postmaster.js';

export interface EmbeddedPostgres {
  url(database: string): string;
  port: number;
  /** Stops the server, whoever started it, and resolves when its process is gone. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** The server's files are in `postgres` under it, its log is `postgres.log`. The caller holds lockDataDir on it. */
  dataDir: string;
  /** Those missing are created, empty. */
  databases: readonly string[];
  /** false for tests: nothing is forced to disk, so a power failure may lose it all. Default true. */
  durable?: boolean;
  log?: KeeperLog;
}

/**
 * Starts a real PostgreSQL server that belongs to a data directory, on a free port of 127.0.0.1. The
 * first start makes the database cluster (some seconds). A server that a killed process left running
 * there is taken over, or stopped if it does not answer. Rejects with one line that says what to do.
 * One that ends before `stop` is started again on its port, with what was committed; see platform/keeper.ts.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { databases, durable = true, log = () => {} } = options;
  const dataDir = await realpath(await ensureDataDir(options.dataDir));
  const place = { dataDir, binaries: await binaries(), owner: await owner(), durable };
  await checkReachable(join(dataDir, 'postgres'), place.owner);
  await checkReachable(place.binaries.postgres, place.owner);

  const cluster = await openCluster({ ...place, log: (line) => log(line, 'debug') });
  const starting = { ...place, cluster, logFile: join(dataDir, 'postgres.log') };
  const kept = await keep<Server>({
    name: 'PostgreSQL',
    log,
    start: async ({ first, onSpawn }) =>
      (await findRunning(cluster, (line) => log(line, 'debug'))) ??
      (await startServer({ ...starting, onSpawn, ...(first && { choosePort: async () => first.port }) })),
    interrupt(pid) {
      try {
        // Fast shutdown.
        process.kill(pid, 'SIGINT');
      } catch {
        // It has ended just now.
      }
    },
    stop: (pid) => stopServer({ pid }, cluster),
  });
  const { stop } = kept;
  const { port } = kept.first;
  const url = (database: string) => databaseUrl(cluster, port, database);
  try {
    await createMissing(url('postgres'), databases);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, port, stop };
}

async function createMissing(url: string, databases: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  // A connection that is lost fails the statement that runs on it, or the next one.
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
    const there = new Set(rows.map((row) => row.datname));
    for (const name of databases) {
      if (!there.has(name)) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
    }
  } finally {
    await client.end();
  }
}
