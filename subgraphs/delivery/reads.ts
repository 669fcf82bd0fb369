import { rowLoader, rowsLoader } from '../../platform/graphql/loader.js';
import type { Reading, Watch } from '../../platform/live/source.js';
import type { Reader, Tx } from '../../platform/postgres/database.js';
import { isFinal } from './domain.js';
import type { CourierRow, DeliveryChangeRow, DeliveryRow } from './rows.js';

const deliveryColumns = `id, order_id as "orderId", user_id as "userId", courier_id as "courierId", status, address,
  created_at as "createdAt", updated_at as "updatedAt"`;
/** The columns of a change `c` of a delivery `d`. */
const changeColumns = `c.delivery_id as "deliveryId", d.order_id as "orderId", d.user_id as "userId", c.sequence,
  c.previous, c.status, c.at, c.reason, c.by`;

/** Statements are made once: they are found by their text, and each new text has to be read for that. */
const statements = {
  delivery: `select ${deliveryColumns} from deliveries where id = any($1::uuid[])`,
  deliveryOfOrder: `select ${deliveryColumns} from deliveries where order_id = any($1::uuid[])`,
  courier: 'select id, name from couriers where id = any($1::uuid[])',
  history: `select ${changeColumns} from delivery_changes c join deliveries d on d.id = c.delivery_id
    where c.delivery_id = any($1::uuid[]) order by c.delivery_id, c.sequence`,
};

/** The loaders of one request. */
export const createLoaders = (reader: Reader) => ({
  delivery: rowLoader(
    (ids) => reader.read<DeliveryRow>(statements.delivery, [ids]),
    ({ id }) => id,
  ),
  deliveryOfOrder: rowLoader(
    (orderIds) => reader.read<DeliveryRow>(statements.deliveryOfOrder, [orderIds]),
    ({ orderId }) => orderId,
  ),
  courier: rowLoader(
    (ids) => reader.read<CourierRow>(statements.courier, [ids]),
    ({ id }) => id,
  ),
  history: rowsLoader(
    (deliveryIds) => reader.read<DeliveryChangeRow>(statements.history, [deliveryIds]),
    ({ deliveryId }) => deliveryId,
  ),
});

export type Loaders = ReturnType<typeof createLoaders>;

interface WatchedRow extends DeliveryChangeRow {
  position: number;
  ownerId: string | null;
  closed: boolean;
  last: number | null;
  deliveryStatus: DeliveryRow['status'] | null;
}

/** The changes of all watched orders' deliveries past their cursors, in one statement: one moment for all. */
export async function readDeliveryChanges(tx: Tx, watches: Watch[]): Promise<Reading<DeliveryChangeRow>[]> {
  const { rows } = await tx.query<WatchedRow>(
    `select w.position::int, k.user_id as "ownerId", k.closed, d.sequence as last, d.status as "deliveryStatus", ${changeColumns}
     from unnest($1::uuid[], $2::int[]) with ordinality as w (id, after, position)
     left join known_orders k on k.order_id = w.id
     left join deliveries d on d.order_id = w.id
     left join delivery_changes c on c.delivery_id = d.id and c.sequence > coalesce(w.after, d.sequence - 1)
     order by w.position, c.sequence`,
    [watches.map(({ id }) => id), watches.map(({ after }) => after)],
  );
  const readings = watches.map(
    (): Reading<DeliveryChangeRow> => ({ ownerId: null, last: 0, changes: [], ended: false }),
  );
  for (const { position, ownerId, closed, last, deliveryStatus, ...change } of rows) {
    const reading = readings[position - 1];
    if (!reading) continue;
    reading.ownerId = ownerId;
    reading.last = last ?? 0;
    reading.ended = deliveryStatus === null ? closed : isFinal(deliveryStatus);
    if (change.sequence !== null) reading.changes.push({ sequence: change.sequence, value: change });
  }
  return readings;
}
