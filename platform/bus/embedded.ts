import { type Bell, createBell, pause } from '../bell.js';
import type { Log } from '../log.js';
import { type Database, openDatabase } from '../postgres/database.js';
import type { Worker as Watch } from '../worker.js';
import { type Outcome, processBatch } from './batch.js';
import { type AnyConsumer, type Bus, backoff, byGroupAndTopic, maxAttempts } from './bus.js';
import { embeddedSchema, listDeadLetters, replayDeadLetters } from './embedded-tables.js';
import type { Message } from './event.js';
import { countOutcomes, timeHandling, watchLag } from './outcomes.js';
import { becomeOwner, type Owner } from './owner.js';
import { createRegistry } from './registry.js';

const batchSize = 100;
/** A look without having been woken: for retries that fall due and for rows that an earlier process left. */
const pollMs = 500;

interface Row extends Message {
  row: number;
  attempts: number;
}

interface Worker {
  topic: string;
  bell: Bell;
  running: Promise<void>;
}

/** A bus inside one process, on a PostgreSQL database of its own. */
export function createEmbeddedBus(options: { url: string; log: Log }): Bus {
  const { log } = options;
  const registry = createRegistry(log);
  const { consumers } = registry;
  const workers: Worker[] = [];
  let database: Database | undefined;
  let owner: Owner | undefined;
  let lag: Watch | undefined;
  const stopping = new AbortController();

  const opened = (): Database => {
    if (!database) throw new Error('the bus has not been started');
    return database;
  };

  const places = () => consumers.map(({ group, contract }) => ({ group, topic: contract.topic }));

  const wakeAll = (): void => {
    for (const { bell } of workers) bell.ring();
  };

  /** What another process had published on this bus until now was not heard here. */
  function onHeld(): void {
    wakeAll();
    registry.gap();
  }

  async function publish(messages: Message[]): Promise<void> {
    const bus = opened();
    const rows = messages.flatMap((message) =>
      consumers
        .filter(({ contract }) => contract.topic === message.topic)
        .map(({ group }) => ({ group, message })),
    );
    if (rows.length > 0) {
      await bus.query(
        `insert into delivery (group_name, topic, key, message_id, value, headers)
         select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[])
         on conflict (group_name, message_id) do nothing`,
        [
          rows.map(({ group }) => group),
          ...(['topic', 'key', 'id', 'value'] as const).map((name) =>
            rows.map(({ message }) => message[name]),
          ),
          rows.map(({ message }) => JSON.stringify(message.headers)),
        ],
      );
    }
    const topics = new Set(messages.map(({ topic }) => topic));
    for (const { topic, bell } of workers) if (topics.has(topic)) bell.ring();
    for (const message of messages) registry.ring(message);
  }

  /** The next messages of a consumer, oldest first, without the keys that wait for a retry. */
  async function due(consumer: AnyConsumer): Promise<Row[]> {
    const { rows } = await opened().query<Row>(
      `select id as row, message_id as id, topic, key, value, headers, attempts from delivery d
       where group_name = $1 and topic = $2 and not exists (
         select from delivery w
         where w.group_name = $1 and w.topic = $2 and w.key = d.key and w.id <= d.id
           and w.attempts > 0 and w.next_at > now())
       order by d.id limit $3`,
      [consumer.group, consumer.contract.topic, batchSize],
    );
    return rows;
  }

  /** Records what became of a batch in one transaction. */
  async function settle(consumer: AnyConsumer, rows: Row[], outcomes: Outcome[]): Promise<void> {
    const gone: number[] = [];
    const dead: { row: number; reason: string }[] = [];
    const failed: { row: number; attempts: number; waitMs: number }[] = [];
    for (const [index, row] of rows.entries()) {
      const outcome = outcomes[index];
      if (!outcome || outcome.kind === 'later') continue;
      const attempts = row.attempts + 1;
      if (outcome.kind === 'done') gone.push(row.row);
      else if (outcome.kind === 'unreadable' || attempts >= maxAttempts)
        dead.push({ row: row.row, reason: asText(outcome.reason) });
      else failed.push({ row: row.row, attempts, waitMs: backoff(attempts) });
    }
    if (gone.length + dead.length + failed.length === 0) return;
    const { group, contract } = consumer;
    await opened().transaction(async (tx) => {
      if (dead.length > 0) {
        await tx.query(
          `insert into dead_letter (group_name, topic, key, message_id, value, headers, reason)
           select group_name, topic, key, message_id, value, headers, reason
           from delivery join unnest($1::bigint[], $2::text[]) as d (row, reason) on id = d.row order by id`,
          [dead.map(({ row }) => row), dead.map(({ reason }) => reason)],
        );
      }
      if (failed.length > 0) {
        await tx.query(
          `update delivery set attempts = f.attempts, next_at = now() + f.wait_ms * interval '1 ms'
           from unnest($1::bigint[], $2::int[], $3::float8[]) as f (row, attempts, wait_ms) where id = f.row`,
          [
            failed.map(({ row }) => row),
            failed.map(({ attempts }) => attempts),
            failed.map(({ waitMs }) => waitMs),
          ],
        );
      }
      await tx.query('delete from delivery where id = any($1::bigint[])', [
        [...gone, ...dead.map(({ row }) => row)],
      ]);
    });
    countOutcomes(group, contract.topic, {
      done: gone.length,
      retried: failed.length,
      dead: dead.length,
    });
    for (const { reason } of dead)
      log.error({ service: group, topic: contract.topic, reason }, 'event put aside');
  }

  function startWorker(consumer: AnyConsumer): Worker {
    const bell = createBell();
    const { group, contract } = consumer;
    async function run(): Promise<void> {
      let outages = 0;
      while (!stopping.signal.aborted) {
        try {
          if (owner?.held !== true) {
            await bell.wait(pollMs);
            continue;
          }
          const rows = await due(consumer);
          const stop = timeHandling(group, contract.topic);
          const outcomes = await processBatch(consumer, rows);
          if (rows.length > 0) {
            stop();
            await settle(consumer, rows, outcomes);
          }
          outages = rows.length > 0 && outcomes.every(({ kind }) => kind === 'later') ? outages + 1 : 0;
          if (outages > 0) await pause(backoff(outages), stopping.signal);
          else if (rows.length === 0) await bell.wait(pollMs);
        } catch (error) {
          outages += 1;
          log.warn({ service: group, topic: contract.topic, err: error }, 'the bus waits for its database');
          await pause(backoff(outages), stopping.signal);
        }
      }
    }
    return { topic: contract.topic, bell, running: run() };
  }

  return {
    name: 'bus',
    publish,
    consume: registry.consume,
    listen: registry.listen,
    async start() {
      registry.close();
      owner = await becomeOwner({ url: options.url, log, onHeld });
      const bus = openDatabase({
        url: options.url,
        service: 'bus',
        onError: (error) => log.warn({ service: 'bus', err: error }, 'the bus lost a connection'),
      });
      try {
        await bus.query(embeddedSchema);
      } catch (error) {
        await bus.close();
        await owner.release();
        throw error;
      }
      database = bus;
      registry.gap();
      workers.push(...consumers.map(startWorker));
      lag = watchLag({ consumers: places(), log, measure: () => waiting(bus, places()) });
    },
    get ready() {
      return owner?.held === true && !stopping.signal.aborted;
    },
    async stop() {
      stopping.abort();
      wakeAll();
      await Promise.all([lag?.stop(), ...workers.map(({ running }) => running)]);
      await database?.close();
      await owner?.release();
    },
    async lag() {
      const measured = await waiting(opened(), places());
      return measured
        .map(({ group, topic, events }) => ({ group, topic, partition: 0, lag: events }))
        .toSorted(byGroupAndTopic);
    },
    async countDeadLetters() {
      const { rows } = await opened().query<{ count: number }>('select count(*) from dead_letter');
      return rows[0]?.count ?? 0;
    },
    deadLetters: async (topic) => listDeadLetters(opened(), topic),
    async replayDeadLetters(which) {
      const replayed = await replayDeadLetters(opened(), which);
      wakeAll();
      return replayed;
    },
  };
}

/** How many messages each consumer has yet to handle; of one, no more than 100,001 are counted. */
async function waiting(bus: Database, consumers: readonly { group: string; topic: string }[]) {
  const { rows } = await bus.query<{ group: string; topic: string; events: number }>(
    `select g as "group", t as topic, (
       select count(*) from (
         select from delivery where group_name = g and topic = t limit 100001) counted) as events
     from unnest($1::text[], $2::text[]) as consumer (g, t)`,
    [consumers.map(({ group }) => group), consumers.map(({ topic }) => topic)],
  );
  return rows;
}

/** What fits a text column, which holds no NUL: a reason may quote what a stranger sent. */
const asText = (reason: string): string => reason.replaceAll('\0', '').slice(0, 2_000);
