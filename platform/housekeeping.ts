import type { Log } from './log.js';
import type { Database } from './postgres/database.js';
import { repeat, type Worker } from './worker.js';

/** Kept longer than any topic's retention (7 days), so that a late duplicate is still known. */
const inboxDays = 14;
const idempotencyDays = 7;
const everyMs = 60 * 60 * 1000;
/** So many rows at a time: a statement that took long would hold others up, and be given up itself. */
const batchSize = 10_000;

/** Deletes, every hour, what a service need no longer remember. Safe with several replicas. */
export const startHousekeeping = ({ database, log }: { database: Database; log: Log }): Worker =>
  repeat({
    name: 'housekeeping',
    pollMs: everyMs,
    log,
    async work() {
      const forgotten = [
        await forget(database, 'inbox', 'handled_at', inboxDays),
        await forget(database, 'idempotency_keys', 'created_at', idempotencyDays),
      ];
      return forgotten.some((count) => count === batchSize);
    },
  });

/** Deletes rows older than `days`, by the index on their time; answers how many. */
async function forget(database: Database, table: string, column: string, days: number): Promise<number> {
  const { rowCount } = await database.query(
    `delete from ${table} where ctid = any (array(
       select ctid from ${table} where ${column} < now() - $1 * interval '1 day' limit $2))`,
    [days, batchSize],
  );
  return rowCount;
}
