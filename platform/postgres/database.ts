import { createHash } from 'node:crypto';
import pg from 'pg';
import { metrics } from '../metrics.js';
import { isStalePlan } from './errors.js';
import { createLanes, type PreparedStatement } from './lanes.js';

/** What a statement gave back; `rowCount` is the rows read or changed, 0 where PostgreSQL counts none. */
export interface Rows<R> {
  rows: R[];
  rowCount: number;
}

export interface Tx {
  /**
   * Runs one statement. With `values` (an empty list too) it is prepared once a connection under a
   * name made from its text, so the text must be a constant, never built from data. Without
   * `values` it goes as plain text, which may hold several statements: the last one's rows come back.
   *
   * `bigint` columns are numbers (an unsafe one throws), `numeric` strings, `timestamptz` Dates.
   * Throws pg's DatabaseError; see errors.ts for what can be tried again.
   */
  query<R = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Rows<R>>;
}

export interface Reader {
  /**
   * A resolver's batched read; counted in postgres_reads_total. Otherwise as `query`, but that it must change
   * nothing: it may be run twice, and shares its connection with others (see lanes.ts).
   */
  read<R>(text: string, values?: readonly unknown[]): Promise<R[]>;
}

export interface Database extends Tx, Reader {
  /** Shared with Prisma's adapter. */
  readonly pool: pg.Pool;
  readonly url: string;
  /**
   * BEGIN, `work`, COMMIT; whatever `work` throws is thrown on after a ROLLBACK. Throws too when a
   * statement had failed and `work` swallowed it, for PostgreSQL then rolls back on COMMIT. When the
   * connection is lost during COMMIT, whether it happened is unknown.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Waits for the clients that are in use, then closes all. Once is enough; again is harmless. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  url: string;
  /** The label of its metrics, and its name in pg_stat_activity. */
  service: string;
  /** Connections at most, beside the two that reads share; 10. */
  max?: number;
  /** PostgreSQL gives a statement up after this long (isTransient is true for it); none by default. */
  statementTimeoutMs?: number;
  /** PostgreSQL ends a connection whose transaction does nothing for this long, with the locks it holds; never by default. */
  idleInTransactionMs?: number;
  /** Told of connections lost while nothing ran on them; the pool has replaced them by then. */
  onError?: (error: Error) => void;
}

/** Opens a pool; nothing is connected before the first statement, so this never fails on an outage. */
export function openDatabase(options: DatabaseOptions): Database {
  const { url, service, onError = () => {} } = options;
  const config: pg.ClientConfig = {
    connectionString: url,
    application_name: service,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
    types,
    ...(options.statementTimeoutMs !== undefined && { statement_timeout: options.statementTimeoutMs }),
    ...(options.idleInTransactionMs !== undefined && {
      idle_in_transaction_session_timeout: options.idleInTransactionMs,
    }),
  };
  const pool = new pg.Pool({ ...config, max: options.max ?? 10 });
  // Without a listener, node ends the process when the server drops a connection. The pool's own goes while a
  // client is out, before whoever took it could add one: so each client has one for as long as it lives.
  pool.on('connect', (client) => client.on('error', onError));
  pool.on('error', () => undefined);
  let closed: Promise<void> | undefined;

  const query: Tx['query'] = (text, values) => run(pool, text, values);
  const lanes = createLanes(config, async (statement) => (await pool.query(statement)).rows);
  const reads = metrics.postgresReads.labels(service);

  return {
    pool,
    url,
    query,
    async read<R>(text: string, values?: readonly unknown[]) {
      reads.inc();
      if (values === undefined) return (await query<R>(text)).rows;
      return (await lanes.read(prepared(text, values))) as R[];
    },
    transaction: (work) => transaction(pool, work),
    close: () => (closed ??= lanes.close().then(() => pool.end())),
  };
}

async function transaction<T>(pool: pg.Pool, work: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let open = true;
  let broken = false;
  const tx: Tx = {
    query: (text, values) =>
      open
        ? run(client, text, values)
        : Promise.reject(new Error('this transaction is over: await every query in it')),
  };
  try {
    await client.query('BEGIN');
    const result = await work(tx);
    open = false;
    const { command } = await client.query('COMMIT');
    if (command !== 'COMMIT')
      throw new Error('rolled back: a statement in this transaction failed, and its error was swallowed');
    return result;
  } catch (error) {
    open = false;
    broken = isStalePlan(error) || !(await rolledBack(client));
    throw error;
  } finally {
    client.release(broken);
  }
}

const rolledBack = (client: pg.PoolClient): Promise<boolean> =>
  client.query('ROLLBACK').then(
    () => true,
    () => false,
  );

interface Runner {
  query(config: pg.QueryConfig): Promise<pg.QueryResult | pg.QueryResult[]>;
}

async function run<R>(runner: Runner, text: string, values?: readonly unknown[]): Promise<Rows<R>> {
  const answer = await runner.query(values === undefined ? { text } : prepared(text, values));
  const last = Array.isArray(answer) ? answer.at(-1) : answer;
  return { rows: (last?.rows ?? []) as R[], rowCount: last?.rowCount ?? 0 };
}

const prepared = (text: string, values: readonly unknown[]): PreparedStatement => ({
  name: statementName(text),
  text,
  values: [...values],
});

const statementNames = new Map<string, string>();

function statementName(text: string): string {
  let name = statementNames.get(text);
  if (name === undefined) {
    name = createHash('sha256').update(text).digest('base64url').slice(0, 24);
    statementNames.set(text, name);
  }
  return name;
}

const INT8 = 20;
const INT8_ARRAY = 1016;
type TypeId = Parameters<typeof pg.types.getTypeParser>[0];
/** pg's own parser of bigint[], which leaves the elements strings; the typings do not list the array types. */
const parseStrings: (text: string) => unknown = pg.types.getTypeParser(INT8_ARRAY as TypeId);

/** Handed to this pool alone: pg.types is global, and Prisma's adapter relies on it. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (format !== 'binary' && oid === INT8) return safeNumber;
    if (format !== 'binary' && oid === INT8_ARRAY) return (text: string) => asNumbers(parseStrings(text));
    return pg.types.getTypeParser(oid, format);
  }) as pg.CustomTypesConfig['getTypeParser'],
};

function safeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new RangeError(`bigint ${text} does not fit a number: select it as text`);
  return value;
}

const asNumbers = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(asNumbers) : typeof value === 'string' ? safeNumber(value) : value;
