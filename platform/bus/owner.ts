import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { pause } from '../bell.js';
import type { Log } from '../log.js';
import { backoff } from './bus.js';

/** One process at a time holds this lock: handlers of one key must never run side by side. */
const ownerLock = 7_310_001;
/** After a kill -9 the server may take a moment to see that the old owner is gone. */
const patienceMs = 2_000;

export interface Owner {
  /** False while the lock is lost, with its connection: nothing may be handled then. */
  readonly held: boolean;
  release(): Promise<void>;
}

/**
 * Makes this process the one that runs the embedded bus. The lock lives as long as its connection;
 * when that is lost it is taken again as soon as it can be, and `onHeld` is called.
 *
 * @throws when another process holds it
 */
export async function becomeOwner(options: { url: string; log: Log; onHeld: () => void }): Promise<Owner> {
  const { url, log, onHeld } = options;
  const released = new AbortController();
  let client: pg.Client | undefined;
  let retaking = Promise.resolve();

  /** Connects and asks once; answers whether the lock is ours. */
  async function take(): Promise<boolean> {
    const candidate = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    let lost = false;
    candidate.on('error', () => {
      lost = true;
      if (client !== candidate) return;
      client = undefined;
      void candidate.end().catch(() => undefined);
      log.warn({ service: 'bus' }, 'the bus lost its lock, and waits until it has it again');
      retaking = retake();
    });
    try {
      await candidate.connect();
      const { rows } = await candidate.query('select pg_try_advisory_lock($1) as held', [ownerLock]);
      if (rows[0]?.held === true && !lost) client = candidate;
    } finally {
      if (client !== candidate) await candidate.end().catch(() => undefined);
    }
    return client === candidate;
  }

  async function retake(): Promise<void> {
    for (let attempt = 1; !released.signal.aborted; attempt += 1) {
      if (await take().catch(() => false)) return onHeld();
      await pause(backoff(attempt), released.signal);
    }
  }

  const until = Date.now() + patienceMs;
  while (!(await take())) {
    if (Date.now() >= until)
      throw new Error('another process runs on the same bus database; several processes need KAFKA_BROKERS');
    await delay(100);
  }
  return {
    get held() {
      return client !== undefined;
    },
    async release() {
      released.abort();
      await retaking;
      const last = client;
      client = undefined;
      await last?.end().catch(() => undefined);
    },
  };
}
