import pg from 'pg';
import { createBell, pause } from './bell.js';
import { type Bus, backoff } from './bus/bus.js';
import type { Message } from './bus/event.js';
import type { Log } from './log.js';
import { startMeasuring } from './measuring.js';
import { metrics } from './metrics.js';
import type { Database, Tx } from './postgres/database.js';
import type { Worker } from './worker.js';

/** Writes events to the outbox, in the transaction that makes them true; one statement. */
export async function insertOutbox(tx: Tx, messages: Message[]): Promise<void> {
  if (messages.length === 0) return;
  await tx.query(
    `insert into outbox (event_id, topic, key, value, headers)
     select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[])`,
    [
      messages.map(({ id }) => id),
      messages.map(({ topic }) => topic),
      messages.map(({ key }) => key),
      messages.map(({ value }) => value),
      messages.map(({ headers }) => JSON.stringify(headers)),
    ],
  );
}

/** A look without having been woken: a NOTIFY is lost while the connection is. */
const pollMs = 1_000;
/**
 * Batches that are not full begin this far apart at least: a lone event leaves at once, and in busy times they
 * gather, which spares the bus, and all who consume, most of the work.
 */
const paceMs = 20;
/** How long a replica that is not the relay waits before it asks for the lock again. */
const electionMs = 1_000;
const relayLock = 7_310_002;
/** To count more would take a tenth of a second and more, and tell nobody anything. */
const mostCounted = 100_001;

/**
 * Publishes what stands in a service's outbox, oldest first, and deletes it once the bus has it. One
 * relay a service runs at a time, elected by a session advisory lock that dies with its connection;
 * so events of one key, which a locked row puts in order, leave in that order. Every replica measures the
 * outbox, also while another is the relay.
 */
export function startRelay(options: {
  service: string;
  database: Database;
  bus: Bus;
  log: Log;
  /** So many events at most are published at once; 100. */
  batchSize?: number;
  /** How often the outbox is measured; 5 s. */
  measureMs?: number;
}): Worker {
  const { service, database, bus, log, batchSize = 100 } = options;
  const stopping = new AbortController();
  const bell = createBell();

  /**
   * Publishes one batch; answers how many there were. Reads and deletes on the connection that holds the
   * lock: who has lost it can do neither.
   */
  async function publishBatch(client: pg.Client): Promise<number> {
    const { rows } = await client.query<Message & { row: string }>({
      name: 'outbox_batch',
      // `o.id`, because a bare `id` would be the event's: the order of chance.
      text: 'select o.id as row, event_id as id, topic, key, value, headers from outbox o order by o.id limit $1',
      values: [batchSize],
    });
    if (rows.length === 0) return 0;
    await publish(rows);
    await client.query({
      name: 'outbox_published',
      text: 'delete from outbox where id = any($1::bigint[])',
      values: [rows.map(({ row }) => row)],
    });
    for (const { topic } of rows) metrics.eventsPublished.inc({ service, topic });
    return rows.length;
  }

  /** Hands events to the bus, and counts those that it does not accept. */
  async function publish(events: Message[]): Promise<void> {
    metrics.batchSize.observe({ service }, events.length);
    const stop = metrics.publishDuration.startTimer({ service });
    try {
      await bus.publish(events);
    } catch (error) {
      for (const { topic } of events) metrics.eventsFailed.inc({ service, topic });
      throw error;
    } finally {
      stop();
    }
  }

  /** Waits for the lock, holds it for as long as its connection lives, and publishes meanwhile. Throws when anything fails. */
  async function lead(client: pg.Client, onPublished: () => void): Promise<void> {
    client.on('notification', () => bell.ring());
    while (!(await locked(client))) {
      await pause(electionMs, stopping.signal);
      if (stopping.signal.aborted) return;
    }
    await client.query('listen outbox');
    while (!stopping.signal.aborted) {
      const began = performance.now();
      const published = await publishBatch(client);
      onPublished();
      if (published === 0) await bell.wait(pollMs);
      else if (published < batchSize) await pause(paceMs - (performance.now() - began), stopping.signal);
    }
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const client = new pg.Client({
        connectionString: database.url,
        application_name: `${service} relay`,
        connectionTimeoutMillis: 5_000,
        query_timeout: 10_000,
        keepAlive: true,
      });
      // The next statement on it fails then; this only makes it come soon.
      client.on('error', () => bell.ring());
      try {
        await client.connect();
        await lead(client, () => {
          failures = 0;
        });
      } catch (error) {
        failures += 1;
        log.warn({ service, err: error }, 'the relay failed and tries again; the outbox keeps the events');
        await pause(backoff(failures), stopping.signal);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }

  const running = run();
  const measuring = measureOutbox({ service, database, log, pollMs: options.measureMs });
  return {
    async stop() {
      stopping.abort();
      bell.ring();
      await Promise.all([running, measuring.stop()]);
    },
  };
}

/** Keeps outbox_events and outbox_oldest_age_seconds, with a statement whose cost has a bound. */
const measureOutbox = (options: {
  service: string;
  database: Database;
  log: Log;
  pollMs: number | undefined;
}): Worker => {
  const { service, database } = options;
  return startMeasuring({
    ...options,
    name: 'outbox measure',
    async measure() {
      const { rows } = await database.query<{ events: number; age: number }>(
        `select count(*) as events, greatest(0, coalesce(extract(epoch from now() - min(created_at)), 0))::float8 as age
         from (select created_at from outbox order by id limit $1) oldest`,
        [mostCounted],
      );
      metrics.outboxEvents.set({ service }, rows[0]?.events ?? 0);
      metrics.outboxAge.set({ service }, rows[0]?.age ?? 0);
    },
    forget() {
      metrics.outboxEvents.remove({ service });
      metrics.outboxAge.remove({ service });
    },
  });
};

async function locked(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [
    relayLock,
  ]);
  return rows[0]?.held === true;
}
