import pg from 'pg';
import { createBell, pause } from './bell.js';
import { type Bus, backoff } from './bus/bus.js';
import type { Message } from './bus/event.js';
import type { Log } from './log.js';
import { metrics } from './metrics.js';
import type { Database, Tx } from './postgres/database.js';

/** Messages as rows of the `outbox` table, for Prisma's `createMany`. */
export const outboxRows = (messages: Message[]) =>
  messages.map(({ id, topic, key, value, headers }) => ({ eventId: id, topic, key, value, headers }));

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

const batchSize = 100;
/** A look without having been woken: a NOTIFY is lost while the connection is. */
const pollMs = 1_000;
/** How long a replica that is not the relay waits before it asks for the lock again. */
const electionMs = 1_000;
const relayLock = 7_310_002;

/**
 * Publishes what stands in a service's outbox, oldest first, and deletes it once the bus has it. One
 * relay a service runs at a time, elected by a session advisory lock that dies with its connection;
 * so events of one key, which a locked row puts in order, leave in that order.
 */
export function startRelay(options: { service: string; database: Database; bus: Bus; log: Log }): { stop(): Promise<void> } {
  const { service, database, bus, log } = options;
  const stopping = new AbortController();
  const bell = createBell();

  /** Publishes one batch; answers how many there were. */
  async function publishBatch(): Promise<number> {
    const { rows } = await database.query<Message & { row: number }>(
      'select id as row, event_id as id, topic, key, value, headers from outbox order by id limit $1',
      [batchSize],
    );
    if (rows.length === 0) return 0;
    await bus.publish(rows);
    await database.query('delete from outbox where id = any($1::bigint[])', [rows.map(({ row }) => row)]);
    for (const { topic } of rows) metrics.eventsPublished.inc({ service, topic });
    return rows.length;
  }

  /** Holds the lock for as long as its connection lives, and publishes meanwhile. Throws when anything fails. */
  async function lead(client: pg.Client): Promise<void> {
    const { rows } = await client.query('select pg_try_advisory_lock($1) as held', [relayLock]);
    if (rows[0]?.held !== true) return pause(electionMs, stopping.signal);
    let lost: Error | undefined;
    client.on('error', (error) => {
      lost = error;
      bell.ring();
    });
    client.on('notification', () => bell.ring());
    await client.query('listen outbox');
    while (!stopping.signal.aborted) {
      if (lost) throw lost;
      if ((await publishBatch()) === 0) await bell.wait(pollMs);
    }
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const client = new pg.Client({ connectionString: database.url, connectionTimeoutMillis: 5_000 });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await lead(client);
        failures = 0;
      } catch (error) {
        failures += 1;
        metrics.eventsFailed.inc({ service });
        log.warn({ service, err: error }, 'the relay failed and tries again; the outbox keeps the events');
        await pause(backoff(failures), stopping.signal);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      bell.ring();
      await running;
    },
  };
}
