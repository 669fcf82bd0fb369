import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { type OrderStatus, orderStatuses } from '../../events/order.js';
import { ok } from '../../platform/errors.js';
import { prismaOptions } from '../../platform/postgres/prisma.js';
import { serviceDatabase } from '../../test/support/service.js';
import { learn } from './changes.js';
import { orderCommands } from './commands.js';
import { type Fact, isFinal } from './domain.js';
import { PrismaClient } from './generated/prisma/client.js';

const paid: Fact = { kind: 'payment', status: 'SUCCESS' };
const ways: Record<OrderStatus, Fact[]> = {
  PENDING: [],
  PAID: [paid],
  INSUFFICIENT_FUNDS: [{ kind: 'payment', status: 'INSUFFICIENT_FUNDS' }],
  CANCELLED: [{ kind: 'cancelled' }],
  COMPLETED: [paid, { kind: 'delivery', status: 'DELIVERED', sequence: 4 }],
};

test.each(orderStatuses)(
  'an order that is %s becomes CANCELLED if that may be, and else says both',
  async (from) => {
    const database = await serviceDatabase('order');
    const prisma = new PrismaClient(prismaOptions(database));
    onTestFinished(() => prisma.$disconnect());
    let asked = 0;
    const { createOrder, cancelOrder, ensureProducts } = orderCommands(database, prisma, {
      // Delivery agrees: it has heard of no delivery yet.
      ask: async () => {
        asked += 1;
        return ok({ sequence: null });
      },
    });
    const productId = randomUUID();
    await ensureProducts([{ id: productId, name: 'Tea', description: 'Green', priceCents: 100 }]);
    const items = [{ productId, quantity: 1, price: '1.00' }];
    const placed = await createOrder(randomUUID(), { items, deliveryAddress: 'Long Lane 1' });
    const orderId = placed.ok ? placed.value : '';
    await database.transaction((tx) =>
      learn(
        tx,
        ways[from].map((fact) => ({ orderId, fact })),
      ),
    );
    const result = await cancelOrder({ orderId, by: 'customer', reason: null });

    const { rows } = await database.query(
      `select status, (select count(*)::int from outbox where topic = 'order.cancelled') as told from orders`,
    );
    const isLate = isFinal(from) && from !== 'CANCELLED';
    expect(rows).toEqual([{ status: isLate ? from : 'CANCELLED', told: Number(!isLate) }]);
    expect(asked).toBe(Number(!isFinal(from)));
    expect(result).toEqual(
      isLate
        ? {
            ...{ ok: false, code: 'INVALID_TRANSITION' },
            message: `An order that is ${from} cannot become CANCELLED.`,
          }
        : { ok: true, value: undefined },
    );
  },
);
