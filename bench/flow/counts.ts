import { type EmbeddedPostgresOptions, startEmbeddedPostgres } from '../../platform/postgres/embedded.js';
import { run } from './seed.js';

/** SQL statements: those that a client sent, and those that constraints and triggers ran within them. */
export interface Statements {
  sent: number;
  within: number;
}

/** What a server has run since `reset`, as pg_stat_statements tells it. */
export interface Counter {
  reset(): Promise<void>;
  read(): Promise<Counted[]>;
}

/** A statement of one text. */
interface Counted {
  database: string;
  text: string;
  /** Whether a client sent it. */
  sent: boolean;
  calls: number;
}

/** A server that counts statements, but for those of connections that are `uncounted`. */
export async function startCountingPostgres(options: EmbeddedPostgresOptions) {
  // The module is loaded when a server starts, and its settings are the cluster's, which is made by the first start.
  const before = await startEmbeddedPostgres(options);
  try {
    for (const setting of [
      "shared_preload_libraries = 'pg_stat_statements'",
      "pg_stat_statements.track = 'all'",
    ])
      await run(before.url('postgres'), `alter system set ${setting}`);
  } finally {
    await before.stop();
  }
  const postgres = await startEmbeddedPostgres(options);
  const url = postgres.url('postgres');
  await run(url, 'create extension pg_stat_statements');
  const counter: Counter = {
    reset: async () => void (await run(url, 'select pg_stat_statements_reset()')),
    read: () =>
      run<Counted>(
        url,
        // What a COMMIT runs for constraints that wait for it stands at the top too.
        `select datname as database, query as text, calls::float8 as calls,
           toplevel and query not like '%FROM ONLY%FOR KEY SHARE OF x' as sent
         from pg_stat_statements join pg_database d on d.oid = dbid`,
      ),
  };
  return { postgres, counter };
}

/** What a client of a server says as it connects, so that nothing that it does is counted. */
export const countNothing = '-c pg_stat_statements.track=none';

export const uncounted = (url: string): string => `${url}?options=${encodeURIComponent(countNothing)}`;

export function sum(counted: readonly Counted[]): Statements {
  const calls = (sent: boolean) =>
    counted.reduce((total, one) => total + (one.sent === sent ? one.calls : 0), 0);
  return { sent: calls(true), within: calls(false) };
}

/** The databases of the program: `bus` is the embedded bus's. */
const databases = ['user', 'order', 'payment', 'delivery', 'event', 'bus'] as const;
export type DatabaseName = (typeof databases)[number];

/** What orders have cost, all of them together. */
export interface Cost {
  /** Those that look for work, and find none, included. */
  statements: Map<DatabaseName, Statements>;
  /** Messages that the bus accepted, by topic. */
  messages: Map<string, number>;
  /** Couriers who say where they are: nothing of that is in the numbers above. */
  positions: { statements: Statements; messages: number };
}

const positionTopic = 'courier.location.updated';

/** What is measured, beside what it costs. `settled` resolves once nothing is under way; `metrics` are the program's. */
export function createMeter(options: {
  counter: Counter;
  metrics: () => Promise<string>;
  settled: () => Promise<void>;
}): <T>(work: () => Promise<T>) => Promise<{ result: T; cost: Cost }> {
  const { counter, metrics, settled } = options;
  return async (work) => {
    const before = publishedIn(await metrics());
    await counter.reset();
    const result = await work();
    await settled();
    const counted = await counter.read();
    const messages = publishedIn(await metrics());
    for (const [topic, count] of messages) messages.set(topic, count - (before.get(topic) ?? 0));
    const positions = { statements: ofPositions(counted), messages: messages.get(positionTopic) ?? 0 };
    messages.delete(positionTopic);
    const statements = new Map(
      databases.map((name) => [name, sum(counted.filter(({ database }) => database === name))]),
    );
    const delivery = statements.get('delivery') ?? { sent: 0, within: 0 };
    delivery.sent -= positions.statements.sent;
    delivery.within -= positions.statements.within;
    return { result, cost: { statements, messages, positions } };
  };
}

/** How many messages the bus has accepted, by topic; metrics of several processes may follow each other. */
function publishedIn(metrics: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [, topic = '', count] of metrics.matchAll(
    /^producer_events_published_total\{.*topic="([^"]+)".*\} (\d+)$/gm,
  ))
    counts.set(topic, (counts.get(topic) ?? 0) + Number(count));
  return counts;
}

/**
 * The statements of couriers who say where they are (subgraphs/delivery/{simulator,positions}.ts), those of the relay
 * aside: each look is a transaction with one statement, and where somebody is to say something four more. BEGIN, COMMIT
 * and what writes the outbox have the same text as everybody's, and are as many as those that have not.
 */
function ofPositions(counted: readonly Counted[]): Statements {
  const calls = (text: RegExp): number =>
    sum(counted.filter((one) => one.database === 'delivery' && text.test(one.text))).sent;
  const looks = calls(/order by k\.located_at nulls first/);
  const reports = calls(/^update couriers k set latitude/);
  const written =
    calls(/where d\.courier_id = any/) + reports + calls(/^update deliveries d set estimated_at/);
  if (looks === 0)
    throw new Error('no courier was asked where it is: this does not know the statement any more');
  // Writing to the outbox runs a trigger.
  return { sent: 3 * looks + written + reports, within: reports };
}
