import DataLoader from 'dataloader';
import type { OrderStatus } from '../../events/order.js';
import { createRowCache, type RowCache } from '../../platform/cache/rows.js';
import type { CacheStore } from '../../platform/cache/store.js';
import type { PageRequest } from '../../platform/graphql/connection.js';
import { memo, rowLoader, rowsLoader, together } from '../../platform/graphql/loader.js';
import { firstIdOf } from '../../platform/ids.js';
import type { Reader } from '../../platform/postgres/database.js';
import type { OrderItemRow, OrderRow, ProductRow } from './rows.js';

const orderColumns = `id, user_id as "userId", courier_user_id as "courierUserId", status, delivery_status as "deliveryStatus",
  total_cents as "totalCents", delivery_address as "deliveryAddress",
  created_at as "createdAt", updated_at as "updatedAt"`;
const productColumns = 'id, name, description, price_cents as "priceCents", available';

/** Statements are made once: they are found by their text, and each new text has to be read for that. */
const statements = {
  order: `select ${orderColumns} from orders where id = any($1::uuid[])`,
  product: `select ${productColumns} from products where id = any($1::uuid[])`,
  /** With their products, which nearly all who ask for items ask for too. */
  items: `select i.order_id as "orderId", i.product_id as "productId", i.quantity, i.price_cents as "priceCents",
      p.name, p.description, p.price_cents as "productPriceCents", p.available
    from order_items i join products p on p.id = i.product_id
    where i.order_id = any($1::uuid[]) order by i.order_id, i.position`,
};

type ItemRow = OrderItemRow &
  Pick<ProductRow, 'name' | 'description' | 'available'> & { productPriceCents: number };

export interface OrderFilter {
  userId?: string | undefined;
  status?: OrderStatus | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
}

/** Longer than any transaction that places an order. */
const transactionMs = 60_000;

/** The filter as SQL. Only what is asked for stands in it, so that each shape has a plan of its own. */
function where(filter: OrderFilter, values: unknown[]): string {
  const conditions = ['true'];
  const add = (condition: string, value: unknown) => {
    if (value !== undefined && value !== null) conditions.push(`${condition} $${values.push(value)}`);
  };
  add('user_id =', filter.userId);
  add('status =', filter.status);
  // The ids' own times bound how far the list is walked; a row's is at most its transaction's length later.
  add('created_at >=', filter.since);
  add('id >=', filter.since && firstIdOf(filter.since));
  add('created_at <', filter.until);
  add('id <', filter.until && firstIdOf(new Date(filter.until.getTime() + transactionMs)));
  return conditions.join(' and ');
}

/** A page of orders, newest first, with one row more than asked for. */
export function readOrders(reader: Reader, filter: OrderFilter, page: PageRequest): Promise<OrderRow[]> {
  const values: unknown[] = [];
  const conditions = where(filter, values);
  const past = page.after === null ? '' : `and id < $${values.push(page.after)}`;
  return reader.read<OrderRow>(
    `select ${orderColumns} from orders where ${conditions} ${past} order by id desc limit $${values.push(page.first + 1)}`,
    values,
  );
}

export async function countOrders(reader: Reader, filter: OrderFilter): Promise<number> {
  const values: unknown[] = [];
  const conditions = where(filter, values);
  const [row] = await reader.read<{ count: number }>(
    `select count(*) from orders where ${conditions}`,
    values,
  );
  return row?.count ?? 0;
}

/** A page of products in the order of their making, with one row more than asked for. */
export const readProducts = (
  reader: Reader,
  search: string | null,
  page: PageRequest,
): Promise<ProductRow[]> =>
  reader.read<ProductRow>(
    `select ${productColumns} from products
     where ($1::text is null or name ilike $1) and ($2::uuid is null or id > $2) order by id limit $3`,
    [search, page.after, page.first + 1],
  );

export async function countProducts(reader: Reader, search: string | null): Promise<number> {
  const [row] = await reader.read<{ count: number }>(
    'select count(*) from products where $1::text is null or name ilike $1',
    [search],
  );
  return row?.count ?? 0;
}

/** The pages of many users' orders: one statement for all who ask for the same page. */
const ordersOfUsers = (reader: Reader, filter: OrderFilter, page: PageRequest) =>
  rowsLoader<OrderRow>(
    (userIds) => {
      const values: unknown[] = [userIds];
      const conditions = where(filter, values);
      const past = page.after === null ? '' : `and id < $${values.push(page.after)}`;
      return reader.read<OrderRow>(
        `select o.* from unnest($1::uuid[]) as u (id) cross join lateral (
           select ${orderColumns} from orders where user_id = u.id and ${conditions} ${past}
           order by id desc limit $${values.push(page.first + 1)}) o`,
        values,
      );
    },
    ({ userId }) => userId,
  );

const orderCountsOfUsers = (reader: Reader, filter: OrderFilter) =>
  new DataLoader<string, number>(async (userIds) => {
    const values: unknown[] = [userIds];
    const rows = await reader.read<{ userId: string; count: number }>(
      `select user_id as "userId", count(*) from orders where user_id = any($1::uuid[]) and ${where(filter, values)} group by user_id`,
      values,
    );
    const counts = new Map(rows.map(({ userId, count }) => [userId, count]));
    return userIds.map((id) => counts.get(id) ?? 0);
  });

/** Products that have been read, by their ids. */
export const createProducts = (reader: Reader, store: CacheStore): RowCache<ProductRow> =>
  createRowCache({
    name: 'products',
    store,
    read: (ids) => reader.read<ProductRow>(statements.product, [ids]),
    columns: { id: true, name: true, description: true, priceCents: true, available: true },
    revive: (json) => json,
  });

/** What requests and events read together. */
export const createReads = (reader: Reader) => ({
  order: together(
    (ids) => reader.read<OrderRow>(statements.order, [ids]),
    ({ id }) => id,
  ),
  items: together(
    (orderIds) => reader.read<ItemRow>(statements.items, [orderIds]),
    ({ orderId }) => orderId,
  ),
});

/** The loaders of one request. */
export function createLoaders(
  reader: Reader,
  reads: ReturnType<typeof createReads>,
  products: RowCache<ProductRow>,
) {
  const pages = memo((key) => {
    const { page, status } = JSON.parse(key) as { page: PageRequest; status?: OrderStatus };
    return { rows: ordersOfUsers(reader, { status }, page), counts: orderCountsOfUsers(reader, { status }) };
  });
  const product = rowLoader(products.read, ({ id }) => id);
  async function readItems(orderIds: readonly string[]): Promise<OrderItemRow[]> {
    const rows = await reads.items(orderIds);
    for (const { productId, name, description, productPriceCents, available } of rows)
      product.prime(productId, {
        id: productId,
        name,
        description,
        priceCents: productPriceCents,
        available,
      });
    return rows;
  }
  return {
    product,
    order: rowLoader(reads.order, ({ id }) => id),
    items: rowsLoader(readItems, ({ orderId }) => orderId),
    /** The loaders of `User.orders` for one page and status. */
    ordersOfUser: (page: PageRequest, status: OrderStatus | undefined) =>
      pages(JSON.stringify({ page, status })),
  };
}

export type Loaders = ReturnType<typeof createLoaders>;
