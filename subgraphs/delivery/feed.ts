import type { DeliveryStatus } from '../../events/delivery.js';
import type { CommitPosition } from '../../platform/graphql/cursor.js';
import { columnsOf, toReadings } from '../../platform/live/readings.js';
import type { Read } from '../../platform/live/source.js';
import type { Tx } from '../../platform/postgres/database.js';
import { openStatuses } from './domain.js';
import { changeColumns } from './reads.js';
import type { DeliveryChangeRow } from './rows.js';

/**
 * How far into the changes of all deliveries a watcher is; where `until` is given, still among the deliveries that
 * were open when only transactions older than that were over, each with its last change.
 */
export interface FeedPosition extends CommitPosition {
  until: string | null;
}

/** Whose changes are watched: those to one of these statuses, of this courier; null is any. */
export interface FeedFilter {
  status: readonly DeliveryStatus[] | null;
  courierId: string | null;
}

/** A filter as a text, the same for the same filter: what a watcher is known by. */
export const filterId = ({ status, courierId }: FeedFilter): string =>
  JSON.stringify({ status: status && [...new Set(status)].toSorted(), courierId } satisfies FeedFilter);

type WatchedFeed = Omit<DeliveryChangeRow, 'feed'> & {
  place: number;
  /** The oldest transaction under way: what is older can no longer be passed by. */
  horizon: string;
  ahead: boolean | null;
  unsettled: boolean;
  /** So many rows there are of this watch; one with nulls where nothing is new. */
  found: number | null;
  xid: string;
  id: string;
};

const open = openStatuses.map((status) => `'${status}'`).join(', ');
const page = `${changeColumns}, c.xid, c.id`;
/** `courier` is the column of who has it. */
const matches = (courier: string) => `(w.statuses is null or c.status = any(string_to_array(w.statuses, ',')))
    and (w.courier is null or ${courier} = w.courier)`;

/**
 * Three parts: the changes past a watcher's position; and for who begins, the last changes of the deliveries that
 * are open, those of which have changed since as they were before. The planner cannot know how few they are, and
 * would read all there ever were: `offset 0` has it look for each.
 */
const feedChanges = `with h as materialized (select pg_snapshot_xmin(pg_current_snapshot()) as horizon)
  select w.place::int, h.horizon::text, w.xid >= h.horizon as ahead,
    coalesce((select xid from delivery_changes order by xid desc, id desc limit 1) >= h.horizon, false) as unsettled,
    p.*, p.xid::text as xid, p.id::text as id
  from unnest($1::text[], $2::int[], $3::xid8[], $4::bigint[], $5::xid8[], $6::text[], $7::uuid[]) with ordinality
    as w (filter, most, xid, id, until, statuses, courier, place)
  cross join h
  left join lateral (
    select *, (count(*) over ())::int as found from (
      (select ${page} from delivery_changes c join deliveries d on d.id = c.delivery_id
       where w.until is null and (c.xid, c.id) > (w.xid, w.id) and c.xid < h.horizon and ${matches('c.courier_id')}
       order by c.xid, c.id limit w.most)
      union all
      (select ${page} from (
         select c.* from deliveries d cross join lateral (
           select * from delivery_changes where delivery_id = d.id and sequence = d.sequence offset 0) c
         where d.status in (${open}) and c.xid < coalesce(w.until, h.horizon)
         union all
         select c.* from (
           select delivery_id, min(sequence) as sequence from delivery_changes
           where xid >= coalesce(w.until, h.horizon) group by delivery_id) since
         cross join lateral (
           select * from delivery_changes
           where delivery_id = since.delivery_id and sequence = since.sequence - 1 offset 0) c
         where c.status in (${open})) c
       cross join lateral (select * from deliveries where id = c.delivery_id offset 0) d
       where (w.xid is null or w.until is not null)
         and ${matches('d.courier_id')}
         and (w.xid is null or (c.xid, c.id) > (w.xid, w.id))
       order by c.xid, c.id limit w.most)) page) p on true
  order by w.place, p.xid, p.id`;

/** The changes of all deliveries that match, past the positions of all watchers, in one statement: one moment for all. */
export const readFeed =
  (tx: Tx): Read<DeliveryChangeRow, FeedPosition> =>
  async (watches) => {
    const [ids, afters, limits] = columnsOf(watches);
    const filters = ids.map((id) => JSON.parse(id) as FeedFilter);
    const { rows } = await tx.query<WatchedFeed>(feedChanges, [
      ids,
      limits,
      afters.map((after) => after?.xid),
      afters.map((after) => after?.id),
      afters.map((after) => after?.until),
      filters.map(({ status }) => status?.join(',')),
      filters.map(({ courierId }) => courierId),
    ]);
    return toReadings(watches, rows, (row, { after, limit }) => {
      const { place: _place, horizon, ahead, unsettled, found, xid, id, ...change } = row;
      const full = found === limit;
      // Among the open deliveries until there are no more of them, then past all that was over by then.
      const until = after === null ? horizon : after.until;
      const position = full ? { xid, id, until } : { xid: until ?? horizon, id: '0', until: null };
      return {
        ahead: ahead === true,
        changes: found === null ? [] : [{ value: { ...change, feed: `${xid}.${id}` }, at: change.at }],
        position,
        more: full || (after?.until ?? null) !== null,
        ended: false,
        unsettled,
      };
    });
  };
