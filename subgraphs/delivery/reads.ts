import { rowLoader, rowsLoader } from '../../platform/graphql/loader.js';
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

/** The loaders of one request. */
export function createLoaders(reader: Reader) {
  const courier = rowLoader(
    (ids) => reader.read<CourierRow>(statements.courier, [ids]),
    ({ id }) => id,
  );
  async function readDeliveries(statement: string, keys: readonly string[]): Promise<DeliveryRow[]> {
    const rows = await reader.read<DeliveryRow & { courierName: string | null }>(statement, [keys]);
    for (const { courierId: id, courierName: name } of rows)
      if (id !== null && name !== null) courier.prime(id, { id, name });
    return rows;
  }
  return {
    courier,
    delivery: rowLoader(
      (ids) => readDeliveries(statements.delivery, ids),
      ({ id }) => id,
    ),
    deliveryOfOrder: rowLoader(
      (orderIds) => readDeliveries(statements.deliveryOfOrder, orderIds),
      ({ orderId }) => orderId,
    ),
    history: rowsLoader(
      (deliveryIds) => reader.read<DeliveryChangeRow>(statements.history, [deliveryIds]),
      ({ deliveryId }) => deliveryId,
    ),
  };
}

export type Loaders = ReturnType<typeof createLoaders>;
