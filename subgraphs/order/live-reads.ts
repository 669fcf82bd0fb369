import type { OrderStatus } from '../../events/order.js';
import { columnsOf, toReadings } from '../../platform/live/readings.js';
import type { Read } from '../../platform/live/source.js';
import type { Tx } from '../../platform/postgres/database.js';
import { isFinal, openStatuses } from './domain.js';
import type { OrderChangeRow } from './rows.js';

interface WatchedOrder {
  place: number;
  ownerId: string;
  last: number;
  lastStatus: OrderStatus;
  /** Null where nothing is new. */
  sequence: number | null;
  status: OrderStatus;
  at: Date;
}

const orderChanges = `select w.place::int, o.user_id as "ownerId", o.sequence as last, o.status as "lastStatus",
    c.sequence, c.status, c.at
  from unnest($1::uuid[], $2::int[], $3::int[], $4::boolean[]) with ordinality as w (id, after, most, known, place)
  join orders o on o.id = w.id
  left join lateral (
    select sequence, status, at from order_changes
    where order_id = o.id and sequence > coalesce(w.after, o.sequence - 1) order by sequence limit w.most) c on true
  where c.sequence is not null or not w.known
  order by w.place, c.sequence`;

/** The changes of all watched orders past their cursors, in one statement: one moment for all. */
export const readOrderChanges =
  (tx: Tx): Read<OrderChangeRow> =>
  async (watches) => {
    const { rows } = await tx.query<WatchedOrder>(orderChanges, columnsOf(watches));
    return toReadings(watches, rows, ({ ownerId, last, lastStatus, sequence, status, at }, { id, after }) => {
      const position = sequence ?? after;
      return {
        ownerId,
        ahead: position !== null && position > last,
        changes: sequence === null ? [] : [{ value: { orderId: id, sequence, status }, at }],
        position,
        more: position !== null && position < last,
        ended: isFinal(lastStatus),
      };
    });
  };

/**
 * How far into the changes of a user's orders a watcher is; where `until` is given, still among the open orders as
 * they stood when the feed was so long, each with its last change.
 */
export interface FeedPosition {
  at: number;
  until: number | null;
}

interface WatchedFeed {
  place: number;
  /** The length of the feed. */
  last: number;
  /** So many rows there are of this watch; one with nulls where nothing is new. */
  found: number;
  feedSequence: number | null;
  orderId: string;
  sequence: number;
  status: OrderStatus;
  at: Date;
}

const open = openStatuses.map((status) => `'${status}'`).join(', ');

const feedChanges = `select w.place::int, coalesce(f.sequence, 0) as last, c.found::int,
    c.user_sequence as "feedSequence", c.order_id as "orderId", c.sequence, c.status, c.at
  from unnest($1::uuid[], $2::int[], $3::int[], $4::boolean[], $5::int[]) with ordinality
    as w (id, after, most, known, until, place)
  left join order_feeds f on f.user_id = w.id
  left join lateral (
    select *, count(*) over () as found from (
      (select user_sequence, order_id, sequence, status, at from order_changes
       where user_id = w.id and user_sequence > w.after and w.until is null order by user_sequence limit w.most)
      union all
      (select c.user_sequence, c.order_id, c.sequence, c.status, c.at
       from orders o join order_changes c on c.order_id = o.id and c.sequence = o.sequence
       where (w.after is null or w.until is not null) and o.user_id = w.id and o.status in (${open})
         and c.user_sequence > coalesce(w.after, 0) and c.user_sequence <= coalesce(w.until, f.sequence)
       order by c.user_sequence limit w.most)) page) c on true
  where c.found > 0 or w.until is not null or not w.known
  order by w.place, c.user_sequence`;

/** The changes of all orders of all watched users past their cursors, in one statement: one moment for all. */
export const readFeeds =
  (tx: Tx): Read<OrderChangeRow, FeedPosition> =>
  async (watches) => {
    const [ids, afters, ...rest] = columnsOf(watches);
    const { rows } = await tx.query<WatchedFeed>(feedChanges, [
      ids,
      afters.map((after) => after?.at),
      ...rest,
      afters.map((after) => after?.until),
    ]);
    return toReadings(watches, rows, ({ last, found, feedSequence, at, ...change }, { id, after, limit }) => {
      const position = nextPosition({ after, reached: feedSequence, last, full: found === limit });
      const { orderId, sequence, status } = change;
      const value = { orderId, sequence, status, feed: { userId: id, sequence: feedSequence ?? 0 } };
      return {
        ownerId: id,
        ahead: after !== null && after.at > last,
        changes: feedSequence === null ? [] : [{ value, at }],
        position,
        more: position.until !== null || position.at < last,
        ended: false,
      };
    });
  };

/** Where a watcher stands that has been handed what was there, `reached` being the last of it, `full` when there may be more. */
function nextPosition(read: {
  after: FeedPosition | null;
  reached: number | null;
  last: number;
  full: boolean;
}): FeedPosition {
  const { after, reached, last, full } = read;
  // Those who are past the open orders go on from change to change.
  if (after?.until === null) return { at: reached ?? after.at, until: null };
  const until = after?.until ?? last;
  // What changed while they were read comes after what they were.
  return full && reached !== null ? { at: reached, until } : { at: until, until: null };
}
