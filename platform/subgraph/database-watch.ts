import pg from 'pg';
import type { Log } from '../log.js';
import { repeat } from '../worker.js';

export interface DatabaseWatch {
  /** Whether the database answered when it was last asked, a second ago at most. */
  readonly answers: boolean;
  stop(): Promise<void>;
}

const everyMs = 1_000;
const patienceMs = 2_000;

/**
 * Asks a database every second whether it is there, and logs when that changes. Resolves with the first
 * answer. Asks on a connection of its own: a pool whose clients are all busy is no outage.
 */
export async function watchDatabase(options: {
  url: string;
  service: string;
  log: Log;
}): Promise<DatabaseWatch> {
  const { url, service, log } = options;
  let answers = true;
  const pool = new pg.Pool({
    connectionString: url,
    application_name: `${service} readiness`,
    max: 1,
    connectionTimeoutMillis: patienceMs,
    query_timeout: patienceMs,
    keepAlive: true,
  });
  pool.on('error', heard);

  function heard(error: Error): void {
    if (answers) log.error({ err: error }, 'the database does not answer');
    answers = false;
  }

  async function ask(): Promise<void> {
    try {
      await pool.query('select 1');
      if (!answers) log.info('the database answers again');
      answers = true;
    } catch (error) {
      heard(error instanceof Error ? error : new Error(String(error)));
    }
  }

  await ask();
  const asking = repeat({
    name: 'database watch',
    pollMs: everyMs,
    log,
    async work() {
      await ask();
      return false;
    },
  });
  return {
    get answers() {
      return answers;
    },
    async stop() {
      await asking.stop();
      await pool.end();
    },
  };
}
