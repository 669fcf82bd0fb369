import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { pause } from '../bell.js';
import { checksum, type Migration } from './folder.js';

/** A migration that the database knows and that has not been rolled back. */
export interface Entry {
  id: string;
  name: string;
  checksum: string;
  startedAt: Date;
  /** null: begun by the Prisma CLI, which does it in no transaction, and failed on the way. */
  finishedAt: Date | null;
}

/** Prisma's own key: its CLI and we keep out of each other's way. */
const LOCK = 72707369;

/** As Prisma's schema engine makes it, so that either can go on where the other stopped. */
const TABLE = `
CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id                  VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum            VARCHAR(64) NOT NULL,
  finished_at         TIMESTAMPTZ,
  migration_name      VARCHAR(255) NOT NULL,
  logs                TEXT,
  rolled_back_at      TIMESTAMPTZ,
  started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`;

/** Runs `work` on a connection of its own, closed afterwards. */
export async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'migrate',
    connectionTimeoutMillis: 5000,
  });
  // A connection that is lost fails the statement that runs on it, or the next one.
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * As `connected`, with the migration lock held: one process at a time migrates a database. The lock
 * is tried again and again rather than waited for, because a waiting statement would hold up a
 * CREATE INDEX CONCURRENTLY of the process that has it. The end of the connection releases it. Throws
 * the signal's reason when that aborts while it waits.
 */
export function locked<T>(
  url: string,
  { onWait, signal = new AbortController().signal }: { onWait: () => void; signal?: AbortSignal | undefined },
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  return connected(url, async (client) => {
    for (let waiting = false; ; waiting = true) {
      const { rows } = await client.query<{ got: boolean }>(`SELECT pg_try_advisory_lock(${LOCK}) AS got`);
      if (rows[0]?.got === true) break;
      if (!waiting) onWait();
      await pause(50, signal);
      signal.throwIfAborted();
    }
    await client.query(TABLE);
    return work(client);
  });
}

/** What the database knows, in the order it was applied; nothing when it was never migrated. */
export async function readHistory(client: pg.Client): Promise<Entry[]> {
  const { rows: found } = await client.query<{ there: boolean }>(
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS there`,
  );
  if (found[0]?.there !== true) return [];
  const { rows } = await client.query<Entry>(`
    SELECT id, migration_name AS name, checksum, started_at AS "startedAt", finished_at AS "finishedAt"
    FROM _prisma_migrations
    WHERE rolled_back_at IS NULL
    ORDER BY started_at, migration_name`);
  return rows;
}

/** Applies a migration and records it, both or neither. Rejects with pg's error. */
export function apply(client: pg.Client, migration: Migration): Promise<void> {
  return atomically(client, migration.up, async () => {
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), checksum(migration.up), migration.name],
    );
  });
}

/** Runs a migration's down.sql and records that, both or neither. Rejects with pg's error. */
export function undo(client: pg.Client, entry: Entry, down: string): Promise<void> {
  return atomically(client, down, async () => {
    await client.query('UPDATE _prisma_migrations SET rolled_back_at = clock_timestamp() WHERE id = $1', [
      entry.id,
    ]);
  });
}

async function atomically(client: pg.Client, sql: string, record: () => Promise<void>): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(sql);
    // A SET in one migration (search_path, lock_timeout) is not meant for our table, nor for the next one.
    await client.query('RESET ALL');
    await record();
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
