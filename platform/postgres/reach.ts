import pg from 'pg';
import { pause } from '../bell.js';
import { backoff } from '../bus/bus.js';
import type { Log } from '../log.js';
import { MigrationError } from '../migrate/error.js';
import { isOutage, isTransient } from './errors.js';

/** The log is told again after this long, in ms: of what mends itself, and of what somebody has to mend. */
const sayAgain = { outage: 30_000, wrong: 5_000 };

/**
 * Does `work`, on a database of this `url`, once that can be reached and whenever an outage breaks it off: it must
 * bear being done again. Waits however long, also for what somebody has to mend (a wrong password, a database
 * that is missing), and the log says for what, with the reason.
 * @throws what else `work` throws, and the signal's reason once it aborts; work under way ends first
 */
export async function whenReachable<T>(options: {
  url: string;
  log: Log;
  signal: AbortSignal;
  work: () => Promise<T>;
}): Promise<T> {
  const { url, log, signal, work } = options;
  const database = placeOf(url);
  let said: { reason: string; at: number } | undefined;

  function say(error: unknown): void {
    const reason = reasonOf(error);
    const again = isTransient(error) ? sayAgain.outage : sayAgain.wrong;
    if (reason === said?.reason && Date.now() - said.at < again) return;
    log.warn({ database, reason }, 'waiting for the database');
    said = { reason, at: Date.now() };
  }

  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      await abortable(connect(url), signal);
      if (said) log.info({ database }, 'the database answers');
      said = undefined;
      return await work();
    } catch (error) {
      if (signal.aborted || !isWorthWaiting(error)) throw error;
      say(error);
      await pause(backoff(attempt, { firstMs: 100, capMs: 2_000 }), signal);
    }
  }
}

/** A migration that fails by itself would do so again, whatever PostgreSQL calls it. */
const isWorthWaiting = (error: unknown): boolean =>
  error instanceof MigrationError ? isTransient(error) : isOutage(error);

async function connect(connectionString: string): Promise<void> {
  const client = new pg.Client({
    connectionString,
    application_name: 'reach',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
  } finally {
    await client.end().catch(() => {});
  }
}

async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
  });
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** host:port/database, without who logs in. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return host + pathname;
}

/** One line; where a name has several addresses, node leaves the message empty. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
