import type { z } from 'zod';
import type { cancellation } from '../../events/cancellation.js';
import { type OrderStatus, orderCreated, orderUpdated } from '../../events/order.js';
import { toMessage } from '../../platform/bus/event.js';
import { must, ok, type Result, refusable, refuse } from '../../platform/errors.js';
import { claim, type Repeatable, settle } from '../../platform/idempotency.js';
import { isId } from '../../platform/ids.js';
import { currency } from '../../platform/money.js';
import { insertOutbox } from '../../platform/outbox.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { readReason } from '../../platform/reason.js';
import type { PeerClient } from '../../platform/subgraph/peers.js';
import { learn } from './changes.js';
import {
  type CatalogueEntry,
  checkCatalogue,
  type Fact,
  isFinal,
  type NewOrder,
  type OrderRequest,
  readOrder,
  tooLateToCancel,
} from './domain.js';
import type { PrismaClient } from './generated/prisma/client.js';

export interface OrderCommands {
  /** Places an order and answers its id; with an idempotency key that was used before, the id of then. */
  createOrder(
    userId: string,
    request: OrderRequest & { idempotencyKey?: string | null },
  ): Promise<Result<string>>;
  /**
   * Calls an order off, if delivery says that there is time for that; a second time changes nothing. Refuses with
   * SERVICE_UNAVAILABLE where delivery does not answer.
   */
  cancelOrder(request: Cancel): Promise<Result<void>>;
  /** Adds the products whose ids are not there yet. */
  ensureProducts(
    products: { id: string; name: string; description: string; priceCents: number }[],
  ): Promise<void>;
}

export interface Cancel {
  orderId: string;
  by: z.infer<typeof cancellation.input>['by'];
  reason: string | null | undefined;
}

export const orderCommands = (
  database: Database,
  prisma: PrismaClient,
  delivery: Pick<PeerClient<z.input<typeof cancellation.input>, z.output<typeof cancellation.output>>, 'ask'>,
): OrderCommands => ({
  createOrder: (userId, { idempotencyKey, ...input }) =>
    refusable(() =>
      database.transaction(async (tx) => {
        const request = repeatable(userId, idempotencyKey, input);
        const first = request && must(await claim(tx.query, request));
        if (first) return first;
        const order = must(readOrder(input, isId));
        const refusal = checkCatalogue(order, await lockCatalogue(tx, order));
        if (refusal) must(refusal);
        const orderId = await insertOrder(tx, userId, order);
        if (request) await settle(tx.query, request, orderId);
        return orderId;
      }),
    ),

  async cancelOrder({ orderId, by, reason: given }) {
    const reason = readReason(given);
    if (!reason.ok) return reason;
    const { userId, status: before } = await stateOf(database, orderId);
    if (before === 'CANCELLED') return ok(undefined);
    if (isFinal(before)) return tooLateToCancel(before);
    const answer = await delivery.ask({ orderId, userId, by, reason: reason.value });
    if (!answer.ok) return answer;
    // Delivery's event says the same, for when this process ends before it has written that.
    const { sequence, courierUserId = null } = answer.value;
    const fact: Fact =
      sequence === null
        ? { kind: 'cancelled' }
        : { kind: 'delivery', status: 'CANCELLED', sequence, courierUserId };
    await database.transaction((tx) => learn(tx, [{ orderId, fact }]));
    const { status: after } = await stateOf(database, orderId);
    return after === 'CANCELLED' ? ok(undefined) : tooLateToCancel(after);
  },

  async ensureProducts(products) {
    await prisma.product.createMany({ data: products, skipDuplicates: true });
  },
});

async function stateOf(database: Database, orderId: string) {
  const { rows } = await database.query<{ userId: string; status: OrderStatus }>(
    'select user_id as "userId", status from orders where id = $1',
    [orderId],
  );
  const [order] = rows;
  if (!order) throw new Error(`order ${orderId} is gone`);
  return order;
}

const repeatable = (
  userId: string,
  key: string | null | undefined,
  input: unknown,
): Repeatable | undefined =>
  key === null || key === undefined ? undefined : { userId, mutation: 'createOrder', key, input };

/** The products of an order, locked against a new price until the order stands. */
async function lockCatalogue(tx: Tx, order: NewOrder): Promise<CatalogueEntry[]> {
  const { rows } = await tx.query<CatalogueEntry>(
    `select id, name, price_cents as "priceCents", available from products
     where id = any($1::uuid[]) order by id for share`,
    [[...new Set(order.lines.map(({ productId }) => productId))]],
  );
  return rows;
}

async function insertOrder(tx: Tx, userId: string, order: NewOrder): Promise<string> {
  const { lines, deliveryAddress, totalCents } = order;
  const { rows } = await tx.query<{ orderId: string }>(
    `insert into orders (user_id, status, delivery_address, total_cents) values ($1, 'PENDING', $2, $3)
     returning id as "orderId"`,
    [userId, deliveryAddress, totalCents],
  );
  const orderId = rows[0]?.orderId ?? '';
  const { rowCount } = await tx.query(
    `with feed as (
       insert into order_feeds as f (user_id, sequence) values ($2, 1)
       on conflict (user_id) do update set sequence = f.sequence + 1 where not f.closed
       returning user_id, sequence
     ), change as (
       insert into order_changes (order_id, sequence, status, user_id, user_sequence)
       select $1, 1, 'PENDING', user_id, sequence from feed
     )
     insert into order_items (order_id, position, product_id, quantity, price_cents)
     select $1, position - 1, product_id, quantity, price_cents
     from feed, unnest($3::uuid[], $4::int[], $5::int[]) with ordinality
       as line (product_id, quantity, price_cents, position)`,
    [
      orderId,
      userId,
      lines.map(({ productId }) => productId),
      lines.map(({ quantity }) => quantity),
      lines.map(({ priceCents }) => priceCents),
    ],
  );
  if (rowCount === 0) must(refuse('UNAUTHENTICATED', 'This account was deleted.'));
  const at = new Date();
  await insertOutbox(tx, [
    toMessage('order', orderCreated, { orderId, userId, totalCents, currency, deliveryAddress }, at),
    toMessage('order', orderUpdated, { orderId, userId, sequence: 1, status: 'PENDING' }, at),
  ]);
  return orderId;
}
