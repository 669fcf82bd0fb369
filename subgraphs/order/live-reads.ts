import type { OrderStatus } from '../../events/order.js';
import { columnsOf, toReadings } from '../../platform/live/readings.js';
import type { Read } from '../../platform/live/source.js';
import type { Tx } from '../../platform/postgres/database.js';
import { isFinal } from './domain.js';
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
