import { columnsOf, toReadings } from '../../platform/live/readings.js';
import type { Read } from '../../platform/live/source.js';
import type { Tx } from '../../platform/postgres/database.js';
import { isFinal } from './domain.js';
import { changeColumns } from './reads.js';
import type { DeliveryChangeRow, DeliveryRow, LocationRow } from './rows.js';

/** The columns of a change are null where none is new. */
type WatchedOrder = Omit<DeliveryChangeRow, 'sequence'> & {
  place: number;
  ownerId: string;
  guestId: string | null;
  closed: boolean;
  /** Null while there is no delivery. */
  last: number | null;
  lastStatus: DeliveryRow['status'] | null;
  sequence: number | null;
};

/** The account of the courier that brings a delivery `d`. */
const courierAccount = '(select user_id from couriers where id = d.courier_id)';

const deliveryChanges = `select w.place::int, k.user_id as "ownerId", ${courierAccount} as "guestId", k.closed, d.sequence as last, d.status as "lastStatus",
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
      const { place: _place, ownerId, guestId, closed, last, lastStatus, sequence, ...change } = row;
      const position = sequence ?? after;
      return {
        ...{ ownerId, guestId },
        ahead: (position ?? 0) > (last ?? 0),
        changes: sequence === null ? [] : [{ value: { ...change, sequence }, at: change.at }],
        position,
        more: position !== null && position < (last ?? 0),
        ended: lastStatus === null ? closed : isFinal(lastStatus),
      };
    });
  };

/** Which place of which courier a watcher was told last; empty for none. */
type PlacePosition = string;

interface WatchedCourier extends Omit<LocationRow, 'at'> {
  place: number;
  ownerId: string;
  guestId: string | null;
  closed: boolean;
  status: DeliveryRow['status'] | null;
  /** Null while nobody knows where the courier is, or there is none. */
  at: Date | null;
  position: PlacePosition;
}

const courierPlaces = `select w.place::int, o.user_id as "ownerId", o.closed, d.status, k.user_id as "guestId",
    k.latitude, k.longitude, k.located_at as at, d.estimated_at as "estimatedAt",
    coalesce(k.id || ' ' || k.located_at, '') as position
  from unnest($1::uuid[]) with ordinality as w (id, place)
  join known_orders o on o.order_id = w.id
  left join deliveries d on d.order_id = w.id
  left join couriers k on k.id = d.courier_id`;

/** Where the couriers of all watched orders are, where they were not before, in one statement. */
export const readCourierPlaces =
  (tx: Tx): Read<LocationRow, PlacePosition> =>
  async (watches) => {
    const { rows } = await tx.query<WatchedCourier>(courierPlaces, [watches.map(({ id }) => id)]);
    return toReadings(watches, rows, (row, { after }) => {
      const { ownerId, guestId, closed, status, position, at, latitude, longitude, estimatedAt } = row;
      const ended = status === null ? closed : isFinal(status);
      const isNews = at !== null && !ended && position !== after;
      return {
        ...{ ownerId, guestId, position, ended },
        changes: isNews ? [{ value: { latitude, longitude, at, estimatedAt }, at }] : [],
        more: false,
      };
    });
  };
