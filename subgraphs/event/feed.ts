import type { CommitPosition } from '../../platform/graphql/cursor.js';
import { toReadings } from '../../platform/live/readings.js';
import type { Read } from '../../platform/live/source.js';
import type { Reader, Tx } from '../../platform/postgres/database.js';
import { type EventFilter, eventColumns } from './reads.js';
import type { EventRow } from './rows.js';

/** A filter as a text, the same for the same filter: what a watcher is known by. */
export const filterId = ({ type, userId, orderId, since, until }: EventFilter): string =>
  JSON.stringify([type, userId, orderId, since, until]);

/** So many events are looked through for one watcher at once: a filter may match few of very many. */
const mostRead = 2_000;

/** An event past a watcher's position: it matches, or it is the last one that was read. */
type WatchedEvent = EventRow & {
  /** Whose it is, from 1. */
  watch: number;
  /** The oldest transaction under way: what is older can no longer be passed by. */
  horizon: string;
  ahead: boolean | null;
  unsettled: boolean;
  matches: boolean;
  /** How many were read, and how many of them there are to tell, within the limit or not; null where none was read. */
  read: number | null;
  told: number;
  xid: string;
  n: string;
  storedAt: Date;
};

/**
 * Where who begins now begins, whose first look may come later: there is no state to begin with. Read before the
 * subscription is there, so that nothing is missed from then on.
 */
export async function readNow(reader: Reader): Promise<CommitPosition> {
  const [row] = await reader.read<{ xid: string }>(
    'select pg_snapshot_xmin(pg_current_snapshot())::text as xid',
    [],
  );
  return { xid: row?.xid ?? '0', id: '0' };
}

/**
 * A position may lie past the horizon, where a list has told it:
 * what comes before it is not asked for then, and what comes after is told once it is settled.
 */
const eventsSince = `with h as materialized (
    select pg_snapshot_xmin(s) as horizon, pg_snapshot_xmax(s) as next from pg_current_snapshot() s)
  select w.watch::int, h.horizon::text as horizon, (w.xid, w.n) > (h.next, 0) as ahead,
    coalesce((select xid from events order by xid desc, n desc limit 1) >= h.horizon, false) as unsettled, p.*
  from unnest($1::int[], $2::xid8[], $3::bigint[], $4::text[], $5::uuid[], $6::uuid[], $7::timestamptz[], $8::timestamptz[])
    with ordinality as w (most, xid, n, type, user_id, order_id, since, until, watch)
  cross join h
  left join lateral (
    select ${eventColumns}, e.matches, e.read::int, e.xid::text as xid, e.n::text as n, e.stored_at as "storedAt",
      (count(*) over ())::int as told
    from (
      select *, count(*) over () as read, row_number() over (order by xid, n) as row from (
        select *, (w.type is null or w.type = type) and (w.user_id is null or w.user_id = user_id)
          and (w.order_id is null or w.order_id = order_id)
          and (w.since is null or at >= w.since) and (w.until is null or at < w.until) as matches
        from events where (xid, n) > (w.xid, w.n) and xid < h.horizon order by xid, n limit ${mostRead}) past) e
    where e.matches or e.row = ${mostRead}
    order by e.xid, e.n limit w.most) p on true
  order by w.watch, p.xid::xid8, p.n::bigint`;

/** The events that match, past the positions of all watchers, in one statement: one moment for all. */
export const readFeed =
  (tx: Tx): Read<EventRow, CommitPosition> =>
  async (watches) => {
    const filters = watches.map(({ id }) => JSON.parse(id) as (string | null)[]);
    const filterColumns = [0, 1, 2, 3, 4].map((part) => filters.map((filter) => filter[part]));
    const { rows } = await tx.query<WatchedEvent>(eventsSince, [
      watches.map(({ limit }) => limit),
      watches.map(({ after }) => after?.xid),
      watches.map(({ after }) => after?.id),
      ...filterColumns,
    ]);
    return toReadings(
      watches,
      rows.map(({ watch, ...row }) => ({ row, place: watch })),
      ({ row }, { after, limit }) => {
        const { horizon, ahead, unsettled, matches, read, told, xid, n, storedAt, ...value } = row;
        const full = read !== null && (told > limit || read === mostRead);
        const settled = after && BigInt(after.xid) >= BigInt(horizon) ? after : { xid: horizon, id: '0' };
        return {
          ahead: ahead === true,
          changes: matches ? [{ value, at: storedAt }] : [],
          position: full ? { xid, id: n } : settled,
          more: full,
          ended: false,
          unsettled,
        };
      },
    );
  };
