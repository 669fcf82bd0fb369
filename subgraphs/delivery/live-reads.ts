import { columnsOf, toReadings } from '../../platform/live/readings.js';
import type { Read } from '../../platform/live/source.js';
import type { Tx } from '../../platform/postgres/database.js';
import { isFinal } from './domain.js';
import { changeColumns } from './reads.js';
import type { DeliveryChangeRow, DeliveryRow } from './rows.js';

/** The columns of a change are null where none is new. */
type WatchedOrder = Omit<DeliveryChangeRow, 'sequence'> & {
  place: number;
  ownerId: string;
  closed: boolean;
  /** Null while there is no delivery. */
  last: number | null;
  lastStatus: DeliveryRow['status'] | null;
  sequence: number | null;
};

const deliveryChanges = `select w.place::int, k.user_id as "ownerId", k.closed, d.sequence as last, d.status as "lastStatus",
    ${changeColumns}
  from unnest($1::uuid[], $2::int[], $3::int[], $4::boolean[]) with ordinality as w (id, after, most, known, place)
  join known_orders k on k.order_id = w.id
  left join deliveries d on d.order_id = w.id
  left join lateral (
    select * from delivery_changes
    where delivery_id = d.id and sequence > coalesce(w.after, d.sequence - 1) order by sequence limit w.most) c on true
  where c.sequence is not null or not w.known or (k.closed and d.id is null)
  order by w.place, c.sequence`;

/** The changes of all watched orders' deliveries past their cursors, in one statement: one moment for all. */
export const readDeliveryChanges =
  (tx: Tx): Read<DeliveryChangeRow> =>
  async (watches) => {
    const { rows } = await tx.query<WatchedOrder>(deliveryChanges, columnsOf(watches));
    return toReadings(watches, rows, (row, { after }) => {
      const { place: _place, ownerId, closed, last, lastStatus, sequence, ...change } = row;
      const position = sequence ?? after;
      return {
        ownerId,
        ahead: (position ?? 0) > (last ?? 0),
        changes: sequence === null ? [] : [{ value: { ...change, sequence }, at: change.at }],
        position,
        more: position !== null && position < (last ?? 0),
        ended: lastStatus === null ? closed : isFinal(lastStatus),
      };
    });
  };
