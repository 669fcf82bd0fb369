import type { Log } from '../../platform/log.js';
import { metrics } from '../../platform/metrics.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { repeat, type Worker } from '../../platform/worker.js';

/** Held by the one replica that makes and drops months. */
const monthsLock = 7_310_005;
const everyMs = 60 * 60 * 1000;

/** A month of events: those from its first moment, in UTC, until the next month's. */
interface Month {
  name: string;
  from: Date;
  to: Date;
}

/** The month that is so many after that of a moment. */
export function monthOf(time: Date, after = 0): Month {
  const first = (more: number) =>
    new Date(Date.UTC(time.getUTCFullYear(), time.getUTCMonth() + after + more));
  const from = first(0);
  return { name: `events_${from.toISOString().slice(0, 7).replace('-', '_')}`, from, to: first(1) };
}

/**
 * Makes the months that are missing: the last one, for events that are late, this one and the next. Events of other
 * times stand in `events_other`, and move to their month when it is made.
 */
export const makeMonths = (database: Database, now = new Date()): Promise<void> =>
  database.transaction(async (tx) => {
    await begin(tx);
    const there = new Set((await monthsIn(tx)).map(({ name }) => name));
    const missing = [-1, 0, 1].map((after) => monthOf(now, after)).filter(({ name }) => !there.has(name));
    for (const month of missing) await makeMonth(tx, month);
  });

/** Waits for its turn; what is asked for must not make everybody wait behind a statement that takes long. */
async function begin(tx: Tx): Promise<void> {
  await tx.query(`set local lock_timeout = '3s'`);
  await tx.query('select pg_advisory_xact_lock($1)', [monthsLock]);
}

async function monthsIn(tx: Tx): Promise<{ name: string; to: Date }[]> {
  const { rows } = await tx.query<{ name: string; year: number; month: number }>(
    `select name, substr(name, 8, 4)::int as year, substr(name, 13, 2)::int as month
     from (select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
       where i.inhparent = 'events'::regclass) partitions
     where name ~ '^events_\\d{4}_\\d{2}$' order by name`,
  );
  return rows.map(({ name, year, month }) => ({ name, to: new Date(Date.UTC(year, month)) }));
}

async function makeMonth(tx: Tx, { name, from, to }: Month): Promise<void> {
  const [first, end] = [from.toISOString(), to.toISOString()];
  const make = `create table ${name} partition of events for values from ('${first}') to ('${end}');`;
  const early = `from events_other where at >= '${first}' and at < '${end}'`;
  await tx.query('lock table events in access exclusive mode');
  const { rowCount } = await tx.query(`select ${early} limit 1`);
  if (rowCount === 0) return void (await tx.query(make));
  const columns =
    'id, at, type, source, subject, topic, user_id, order_id, courier_user_id, data, xid, n, stored_at';
  // A table that is no part of the events may lose what it hands over.
  await tx.query(`alter table events detach partition events_other;
    ${make}
    insert into events (${columns}) overriding system value select ${columns} ${early};
    delete ${early};
    alter table events attach partition events_other default;`);
}

/** Drops the months that ended longer ago than `keptMs`, and answers their names; those of odd times once all of them did. */
export const dropMonths = (database: Database, keptMs: number, now = new Date()): Promise<string[]> =>
  database.transaction(async (tx) => {
    await begin(tx);
    const oldest = new Date(now.getTime() - keptMs);
    const gone = (await monthsIn(tx)).filter(({ to }) => to <= oldest).map(({ name }) => name);
    for (const name of gone) await tx.query(`drop table ${name}`);
    const { rows } = await tx.query<{ over: boolean }>('select max(at) < $1 as over from events_other', [
      oldest,
    ]);
    if (rows[0]?.over) await tx.query('truncate events_other');
    return gone;
  });

/** Makes months ahead of their time and drops those that are over for `keptMs`, every hour; 0 drops none. Safe with several replicas. */
export const startMonths = (database: Database, keptMs: number, log: Log): Worker =>
  repeat({
    name: 'months',
    pollMs: everyMs,
    log,
    async work() {
      await makeMonths(database);
      const gone = keptMs > 0 ? await dropMonths(database, keptMs) : [];
      if (gone.length > 0) log.info({ months: gone }, 'events older than EVENT_RETENTION are gone');
      metrics.eventMonths.set((await monthsIn(database)).length);
      return false;
    },
  });
