import { orderCreated, orderUpdated } from '../../events/order.js';
import { toMessage } from '../../platform/bus/event.js';
import { must, type Result, refusable } from '../../platform/errors.js';
import { claim, type Repeatable, settle } from '../../platform/idempotency.js';
import { isId } from '../../platform/ids.js';
import { currency } from '../../platform/money.js';
import { outboxRows } from '../../platform/outbox.js';
import {
  type CatalogueEntry,
  checkCatalogue,
  type NewOrder,
  type OrderRequest,
  readOrder,
} from './domain.js';
import type { Prisma, PrismaClient } from './generated/prisma/client.js';

export interface OrderCommands {
  /** Places an order and answers its id; with an idempotency key that was used before, the id of then. */
  createOrder(
    userId: string,
    request: OrderRequest & { idempotencyKey?: string | null },
  ): Promise<Result<string>>;
  /** Adds the products whose ids are not there yet. */
  ensureProducts(
    products: { id: string; name: string; description: string; priceCents: number }[],
  ): Promise<void>;
}

export const orderCommands = (prisma: PrismaClient): OrderCommands => ({
  createOrder: (userId, { idempotencyKey, ...input }) =>
    refusable(() =>
      prisma.$transaction(async (tx) => {
        const request = repeatable(userId, idempotencyKey, input);
        const first = request && must(await claim(tx, request));
        if (first) return first;
        const order = must(readOrder(input, isId));
        const refusal = checkCatalogue(order, await lockCatalogue(tx, order));
        if (refusal) must(refusal);
        const orderId = await insertOrder(tx, userId, order);
        if (request) await settle(tx, request, orderId);
        return orderId;
      }),
    ),

  async ensureProducts(products) {
    await prisma.product.createMany({ data: products, skipDuplicates: true });
  },
});

const repeatable = (
  userId: string,
  key: string | null | undefined,
  input: unknown,
): Repeatable | undefined =>
  key === null || key === undefined ? undefined : { userId, mutation: 'createOrder', key, input };

/** The products of an order, locked against a new price until the order stands. */
const lockCatalogue = (tx: Prisma.TransactionClient, order: NewOrder): Promise<CatalogueEntry[]> =>
  tx.$queryRaw<CatalogueEntry[]>`
    select id::text, name, price_cents as "priceCents", available from products
    where id = any(${[...new Set(order.lines.map(({ productId }) => productId))]}::uuid[]) order by id for share`;

async function insertOrder(tx: Prisma.TransactionClient, userId: string, order: NewOrder): Promise<string> {
  const { lines, deliveryAddress, totalCents } = order;
  const { id: orderId } = await tx.order.create({
    data: { userId, status: 'PENDING', deliveryAddress, totalCents },
    select: { id: true },
  });
  await tx.orderItem.createMany({ data: lines.map((line, position) => ({ ...line, orderId, position })) });
  await tx.orderChange.create({
    data: { orderId, sequence: 1, status: 'PENDING' },
    select: { sequence: true },
  });
  const at = new Date();
  const created = toMessage(
    'order',
    orderCreated,
    { orderId, userId, totalCents, currency, deliveryAddress },
    at,
  );
  const updated = toMessage('order', orderUpdated, { orderId, userId, sequence: 1, status: 'PENDING' }, at);
  await tx.outbox.createMany({ data: outboxRows([created, updated]) });
  return orderId;
}
