import DataLoader from 'dataloader';
import type { DeliveryStatus } from '../../events/delivery.js';
import type { PageRequest } from '../../platform/graphql/connection.js';
import { memo, rowLoader, rowsLoader, together } from '../../platform/graphql/loader.js';
import type { Reader } from '../../platform/postgres/database.js';
import type { CourierStatus, Transport } from './domain.js';
import type { Place } from './geography.js';
import type { CourierRow, DeliveryChangeRow, DeliveryRow } from './rows.js';
import { active, byTurn, isFree, statusOf } from './sql.js';

/** The columns of a courier `k`, whose status follows from what it does. */
const courierColumns = `k.id, k.name, k.phone, k.transport, k.user_id as "userId", k.latitude, k.longitude,
  k.located_at as "locatedAt", b.user_id as "customerId", b.estimated_at as "estimatedAt",
  ${statusOf('k')} as status`;
/** Couriers `k`, each with the delivery `b` that it brings. */
const couriers = `select ${courierColumns} from couriers k
  left join deliveries b on b.courier_id = k.id and b.${active}`;

const deliveryColumns = `d.id, d.order_id as "orderId", d.user_id as "userId", d.courier_id as "courierId", d.status,
  d.address, d.deadline, d.estimated_at as "estimatedAt", d.created_at as "createdAt", d.updated_at as "updatedAt"`;
/** Deliveries `d`, each with its courier, which nearly all who ask for a delivery ask for too. */
const deliveries = `select ${deliveryColumns}, k."userId" as "courierUserId", to_jsonb(k) as courier
  from deliveries d left join lateral (${couriers} where k.id = d.courier_id) k on true`;
/** The columns of a change `c` of a delivery `d`. */
export const changeColumns = `c.delivery_id as "deliveryId", d.order_id as "orderId", d.user_id as "userId", c.sequence,
  c.previous, c.status, c.at, c.reason, c.by`;

/** Statements are made once: they are found by their text, and each new text has to be read for that. */
const statements = {
  delivery: `${deliveries} where d.id = any($1::uuid[])`,
  deliveryOfOrder: `${deliveries} where d.order_id = any($1::uuid[])`,
  courier: `${couriers} where k.id = any($1::uuid[])`,
  courierOfUser: `${couriers} where k.user_id = any($1::uuid[])`,
  couriers: `select * from (${couriers}) k where ($1::text is null or status = $1) and ($2::uuid is null or id > $2)
    order by id limit $3`,
  courierCount: `select count(*) from (${couriers}) k where $1::text is null or status = $1`,
  deliveriesOfCouriers: `select n.* from unnest($1::uuid[]) as u (id) cross join lateral (
      ${deliveries} where d.courier_id = u.id and ($2::boolean is null or $2 = (d.${active}))
        and ($3::uuid is null or d.id < $3) order by d.id desc limit $4) n`,
  deliveryCountsOfCouriers: `select courier_id as id, count(*) from deliveries d
    where courier_id = any($1::uuid[]) and ($2::boolean is null or $2 = (d.${active})) group by courier_id`,
  history: `select ${changeColumns} from delivery_changes c join deliveries d on d.id = c.delivery_id
    where c.delivery_id = any($1::uuid[]) order by c.delivery_id, c.sequence`,
};

/** Which deliveries are listed; null is any. */
export interface ListFilter {
  /** Of orders of this user. */
  userId: string | null;
  /** Brought by who acts by this account. */
  courierUserId: string | null;
  courierId: string | null;
  status: readonly DeliveryStatus[] | null;
  overdue: boolean | null;
}

const late = `select id from deliveries where courier_id is not null and ${active} and deadline <= now()`;

/** The conditions of a filter on deliveries `d`; its values are added to those that there are. */
function where({ userId, courierUserId, courierId, status, overdue }: ListFilter, values: unknown[]): string {
  const conditions = ['true'];
  if (userId !== null) conditions.push(`d.user_id = $${values.push(userId)}`);
  if (courierUserId !== null)
    conditions.push(
      `d.courier_id = (select id from couriers where user_id = $${values.push(courierUserId)})`,
    );
  if (courierId !== null) conditions.push(`d.courier_id = $${values.push(courierId)}`);
  if (status !== null) conditions.push(`d.status = any($${values.push(status)}::text[])`);
  // First the few that are late, by the index on deadlines: the planner takes them for many, and would look for them among all.
  if (overdue === true) conditions.push(`d.id = any (array(${late}))`);
  if (overdue === false) conditions.push(`not (d.${active} and coalesce(d.deadline <= now(), false))`);
  return conditions.join(' and ');
}

/** What a delivery and its courier are read as. */
type DeliveryRead = DeliveryRow & { courier: JsonCourier | null };
type JsonCourier = Omit<CourierRow, 'locatedAt' | 'estimatedAt'> & {
  locatedAt: string | null;
  estimatedAt: string | null;
};

/** What requests and events read together. */
export const createReads = (reader: Reader) => ({
  delivery: together(
    (ids) => reader.read<DeliveryRead>(statements.delivery, [ids]),
    ({ id }) => id,
  ),
});

/** The lists and loaders of one request. */
export function createLoaders(reader: Reader, reads: ReturnType<typeof createReads>, depot: Place) {
  const courier = rowLoader(
    (ids) => reader.read<CourierRow>(statements.courier, [ids]),
    ({ id }) => id,
  );
  async function withCouriers(reading: Promise<DeliveryRead[]>): Promise<DeliveryRow[]> {
    const rows = await reading;
    for (const { courier: read } of rows)
      if (read)
        courier.prime(read.id, {
          ...read,
          locatedAt: dateOf(read.locatedAt),
          estimatedAt: dateOf(read.estimatedAt),
        });
    return rows;
  }
  const pages = memo((key) => {
    const { page, active: wanted } = JSON.parse(key) as { page: PageRequest; active: boolean | null };
    return {
      rows: rowsLoader(
        (ids) =>
          withCouriers(
            reader.read<DeliveryRead>(statements.deliveriesOfCouriers, [
              ids,
              wanted,
              page.after,
              page.first + 1,
            ]),
          ),
        ({ courierId }) => courierId ?? '',
      ),
      counts: new DataLoader<string, number>(async (ids) => {
        const rows = await reader.read<{ id: string; count: number }>(statements.deliveryCountsOfCouriers, [
          ids,
          wanted,
        ]);
        const counts = new Map(rows.map(({ id, count }) => [id, count]));
        return ids.map((id) => counts.get(id) ?? 0);
      }),
    };
  });
  return {
    courier,
    courierOfUser: rowLoader(
      (ids) => reader.read<CourierRow>(statements.courierOfUser, [ids]),
      ({ userId }) => userId ?? '',
    ),
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
    /** The loaders of `Courier.deliveries` for one page. */
    deliveriesOfCourier: (page: PageRequest, wanted: boolean | null) =>
      pages(JSON.stringify({ page, active: wanted })),
    /** A page of deliveries, newest first, with one row more than asked for. */
    deliveries(filter: ListFilter, { after, first }: PageRequest): Promise<DeliveryRow[]> {
      const values: unknown[] = [];
      const conditions = where(filter, values);
      const past = after === null ? '' : `and d.id < $${values.push(after)}`;
      const text = `${deliveries} where ${conditions} ${past} order by d.id desc limit $${values.push(first + 1)}`;
      return withCouriers(reader.read<DeliveryRead>(text, values));
    },
    async deliveryCount(filter: ListFilter): Promise<number> {
      const values: unknown[] = [];
      const text = `select count(*) from deliveries d where ${where(filter, values)}`;
      return countIn(await reader.read<{ count: number }>(text, values));
    },
    /** A page of couriers, oldest first, with one row more than asked for. */
    couriers: (status: CourierStatus | null, { after, first }: PageRequest): Promise<CourierRow[]> =>
      reader.read<CourierRow>(statements.couriers, [status, after, first + 1]),
    courierCount: async (status: CourierStatus | null): Promise<number> =>
      countIn(await reader.read<{ count: number }>(statements.courierCount, [status])),
    /** Who is sent next. */
    async nextCourier(transport: Transport | null): Promise<CourierRow | null> {
      const text = `${couriers} where ${isFree('k')} and ($1::text is null or k.transport = $1)
        order by ${byTurn('k', depot)} limit 1`;
      const [row] = await reader.read<CourierRow>(text, [transport]);
      return row ?? null;
    },
  };
}

export type Loaders = ReturnType<typeof createLoaders>;

const dateOf = (text: string | null): Date | null => (text === null ? null : new Date(text));
const countIn = ([row]: { count: number }[]): number => row?.count ?? 0;
