import { rowLoader, rowsLoader, together } from '../../platform/graphql/loader.js';
import type { Reader } from '../../platform/postgres/database.js';
import type { CourierRow, DeliveryChangeRow, DeliveryRow } from './rows.js';

/** Deliveries `d`, each with its courier, which nearly all who ask for a delivery ask for too. */
const deliveries = `select d.id, d.order_id as "orderId", d.user_id as "userId", d.courier_id as "courierId", d.status,
    d.address, d.created_at as "createdAt", d.updated_at as "updatedAt", k.name as "courierName"
  from deliveries d left join couriers k on k.id = d.courier_id`;
/** The columns of a change `c` of a delivery `d`. */
export const changeColumns = `c.delivery_id as "deliveryId", d.order_id as "orderId", d.user_id as "userId", c.sequence,
  c.previous, c.status, c.at, c.reason, c.by`;

/** Statements are made once: they are found by their text, and each new text has to be read for that. */
const statements = {
  delivery: `${deliveries} where d.id = any($1::uuid[])`,
  deliveryOfOrder: `${deliveries} where d.order_id = any($1::uuid[])`,
  courier: 'select id, name from couriers where id = any($1::uuid[])',
  history: `select ${changeColumns} from delivery_changes c join deliveries d on d.id = c.delivery_id
    where c.delivery_id = any($1::uuid[]) order by c.delivery_id, c.sequence`,
};

type DeliveryRead = DeliveryRow & { courierName: string | null };

/** What requests and events read together. */
export const createReads = (reader: Reader) => ({
  delivery: together(
    (ids) => reader.read<DeliveryRead>(statements.delivery, [ids]),
    ({ id }) => id,
  ),
});

/** The loaders of one request. */
export function createLoaders(reader: Reader, reads: ReturnType<typeof createReads>) {
  const courier = rowLoader(
    (ids) => reader.read<CourierRow>(statements.courier, [ids]),
    ({ id }) => id,
  );
  async function withCouriers(reading: Promise<DeliveryRead[]>): Promise<DeliveryRow[]> {
    const rows = await reading;
    for (const { courierId: id, courierName: name } of rows)
      if (id !== null && name !== null) courier.prime(id, { id, name });
    return rows;
  }
  return {
    courier,
    delivery: rowLoader(
      (ids) => withCouriers(reads.delivery(ids)),
      ({ id }) => id,
    ),
    deliveryOfOrder: rowLoader(
      (orderIds) => withCouriers(reader.read<DeliveryRead>(statements.deliveryOfOrder, [orderIds])),
      ({ orderId }) => orderId,
    ),
    history: rowsLoader(
      (deliveryIds) => reader.read<DeliveryChangeRow>(statements.history, [deliveryIds]),
      ({ deliveryId }) => deliveryId,
    ),
  };
}

export type Loaders = ReturnType<typeof createLoaders>;
