import { pause } from './bell.js';
import type { Log } from './log.js';
import type { Database } from './postgres/database.js';

/** Kept longer than any topic's retention (7 days), so that a late duplicate is still known. */
const inboxDays = 14;
const idempotencyDays = 7;
const everyMs = 60 * 60 * 1000;

/** Deletes, every hour, what a service need no longer remember. Safe with several replicas. */
export function startHousekeeping(options: { service: string; database: Database; log: Log }): {
  stop(): Promise<void>;
} {
  const { service, database, log } = options;
  const stopping = new AbortController();
  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await database.query(`delete from inbox where handled_at < now() - $1 * interval '1 day'`, [
          inboxDays,
        ]);
        await database.query(
          `delete from idempotency_keys where created_at < now() - $1 * interval '1 day'`,
          [idempotencyDays],
        );
      } catch (error) {
        log.warn({ service, err: error }, 'housekeeping failed; the next round tries again');
      }
      await pause(everyMs, stopping.signal);
    }
  }
  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
