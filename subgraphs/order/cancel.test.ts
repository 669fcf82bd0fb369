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

/** An order of a database of its own, and its cancel, to which delivery agrees as it is told. */
async function placed(answer: { sequence: number | null; courierUserId?: string | null }) {
  const database = await serviceDatabase('order');
  const prisma = new PrismaClient(prismaOptions(database));
  onTestFinished(() => prisma.$disconnect());
  let asked = 0;
  const { createOrder, cancelOrder, ensureProducts } = orderCommands(database, prisma, {
    ask: async () => {
      asked += 1;
      return ok(answer);
    },
  });
  const productId = randomUUID();
  await ensureProducts([{ id: productId, name: 'Tea', description: 'Green', priceCents: 100 }]);
  const items = [{ productId, quantity: 1, price: '1.00' }];
  const order = await createOrder(randomUUID(), { items, deliveryAddress: 'Long Lane 1' });
  const orderId = order.ok ? order.value : '';
  return {
    ...{ database, cancel: () => cancelOrder({ orderId, by: 'customer', reason: null }) },
    asked: () => asked,
    hear: (facts: Fact[]) =>
      database.transaction((tx) =>
        learn(
          tx,
          facts.map((fact) => ({ orderId, fact })),
        ),
      ),
  };
}

test('a courier that was taken off before the cancel may not read the order, though that is heard of later', async () => {
  const { database, cancel, hear } = await placed({ sequence: 4, courierUserId: null });
  const courierUserId = randomUUID();
  await hear([paid, { kind: 'delivery', status: 'IN_TRANSIT', sequence: 2, courierUserId }]);
  expect((await database.query('select courier_user_id as id from orders')).rows).toEqual([
    { id: courierUserId },
  ]);
  await cancel();
  await hear([{ kind: 'delivery', status: 'PENDING', sequence: 3, courierUserId: null }]);
  expect((await database.query('select status, courier_user_id as id from orders')).rows).toEqual([
    { status: 'CANCELLED', id: null },
  ]);
});

test.each(orderStatuses)(
  'an order that is %s becomes CANCELLED if that may be, and else says both',
  async (from) => {
    const { database, cancel, asked, hear } = await placed({ sequence: null });
    await hear(ways[from]);
    const result = await cancel();

    const { rows } = await database.query(
      `select status, (select count(*)::int from outbox where topic = 'order.cancelled') as told from orders`,
    );
    const isLate = isFinal(from) && from !== 'CANCELLED';
    expect(rows).toEqual([{ status: isLate ? from : 'CANCELLED', told: Number(!isLate) }]);
    expect(asked()).toBe(Number(!isFinal(from)));
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
