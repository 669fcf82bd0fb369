import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { onTestFinished } from 'vitest';
import { type DeliveryStatus, deliveryStatusUpdated } from '../../events/delivery.js';
import { paymentCompleted } from '../../events/payment.js';
import { createLocalStore } from '../../platform/cache/store.js';
import { unwrap } from '../../platform/errors.js';
import type { Database } from '../../platform/postgres/database.js';
import { orderCommands } from '../../subgraphs/order/commands.js';
import { consumers } from '../../subgraphs/order/consumers.js';
import { PrismaClient } from '../../subgraphs/order/generated/prisma/client.js';
import { createProducts } from '../../subgraphs/order/reads.js';
import { consumerOf, eventOf } from './service.js';

/** An order as its events name it. */
export interface Order {
  orderId: string;
  userId: string;
}

/** What places orders of one cheap product, one a call; each answers the order. */
export async function orderPlacer(database: Database): Promise<(userId: string) => Promise<Order>> {
  const prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  onTestFinished(() => prisma.$disconnect());
  const commands = orderCommands(database, prisma, {
    ask: () => Promise.reject(new Error('nobody cancels')),
  });
  const productId = randomUUID();
  await commands.ensureProducts([{ id: productId, name: 'Soup', description: 'Hot', priceCents: 650 }]);
  const items = [{ productId, quantity: 1, price: '6.50' }];
  return async (userId) => ({
    userId,
    orderId: unwrap(await commands.createOrder(userId, { items, deliveryAddress: 'Long Lane 1' })),
  });
}

/** Places so many orders, of users in turn or each of one of its own, and forgets their events. */
export async function placed(database: Database, count: number, users: string[] = []): Promise<Order[]> {
  const place = await orderPlacer(database);
  const orders: Order[] = [];
  for (let index = 0; index < count; index += 1)
    orders.push(await place(users[index % users.length] ?? randomUUID()));
  await database.query('delete from outbox');
  return orders;
}

export const paid = (order: Order, status: 'SUCCESS' | 'INSUFFICIENT_FUNDS' = 'SUCCESS') =>
  eventOf(paymentCompleted, { ...order, paymentId: randomUUID(), status, amountCents: 650, currency: 'EUR' });
export const way: DeliveryStatus[] = ['PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED'];
export const moved = (order: Order, sequence: number) =>
  eventOf(deliveryStatusUpdated, {
    ...order,
    deliveryId: randomUUID(),
    sequence,
    status: way[sequence - 1] as DeliveryStatus,
  });
export const wholeWay = (order: Order) => way.map((_, index) => moved(order, index + 1));

/** What handles payments and what handles deliveries. */
export function handlers(database: Database) {
  const all = consumers(database, createProducts(database, createLocalStore()), () => undefined);
  return {
    payments: consumerOf(all, paymentCompleted).handle,
    deliveries: consumerOf(all, deliveryStatusUpdated).handle,
  };
}
