import type { Log } from './log.js';
import type { Database } from './postgres/database.js';
import { repeat, type Worker } from './worker.js';

/** Kept longer than any topic's retention (7 days), so that a late duplicate is still known. */
const inboxDays = 14;
const idempotencyDays = 7;
const everyMs = 60 * 60 * 1000;

/** Deletes, every hour, what a service need no longer remember. Safe with several replicas. */
export const startHousekeeping = (options: { database: Database; log: Log }): Worker =>
  repeat({
    name: 'housekeeping',
    pollMs: everyMs,
    log: options.log,
    async work() {
      const { database } = options;
      await database.query(`delete from inbox where handled_at < now() - $1 * interval '1 day'`, [inboxDays]);
      await database.query(`delete from idempotency_keys where created_at < now() - $1 * interval '1 day'`, [
        idempotencyDays,
      ]);
      return false;
    },
  });
