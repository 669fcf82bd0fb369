import type { Reader } from '../../platform/postgres/database.js';
import type { OrderItemRow, OrderRow, ProductRow } from '../../subgraphs/order/rows.js';

export const orderId = (n: number): string => `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

/** Lines of an order. */
const lines = 3;
const at = new Date('2026-01-01T00:00:00Z');

const order = (id: string): OrderRow => ({
  id,
  userId: '00000000-0000-4000-8000-000000000001',
  courierUserId: null,
  status: 'PAID',
  deliveryStatus: 'IN_TRANSIT',
  totalCents: 3_000,
  deliveryAddress: 'Long Lane 1',
  createdAt: at,
  updatedAt: at,
});

const items = (id: string): OrderItemRow[] =>
  Array.from({ length: lines }, (_, line) => ({
    orderId: id,
    productId: orderId(line),
    quantity: line + 1,
    priceCents: 500,
  }));

const product = (id: string): ProductRow => ({
  id,
  name: 'Espresso',
  description: null,
  priceCents: 500,
  available: true,
});

/** In the place of the order service's database: any order is there, and made when it is asked for. */
export const memory: Reader = {
  async read<R>(text: string, [ids]: unknown[] = []): Promise<R[]> {
    const keys = ids as string[];
    if (text.includes('from order_items')) return keys.flatMap(items) as R[];
    return keys.map((key) => (text.includes('from orders') ? order(key) : product(key))) as R[];
  },
};

/** What a plan of the gateway asks of the order subgraph for pages of orders. */
export const query = `query Orders__order__1($representations:[_Any!]!){_entities(representations:$representations){...on Order{
  status deliveryAddress createdAt total{amount currency}items{quantity price{amount currency}product{id name price{amount currency}}}}}}`;

export const representations = (count: number): object[] =>
  Array.from({ length: count }, (_, n) => ({ __typename: 'Order', id: orderId(n) }));
