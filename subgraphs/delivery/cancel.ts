import type { z } from 'zod';
import type { cancellation } from '../../events/cancellation.js';
import { deliveryStatusUpdated } from '../../events/delivery.js';
import { toMessage } from '../../platform/bus/event.js';
import { must, type Result, refusable } from '../../platform/errors.js';
import { insertOutbox } from '../../platform/outbox.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { apply, lockDeliveries } from './changes.js';
import { type DeliveryState, refuseMove } from './domain.js';
import type { Geography } from './geography.js';

type Cancellation = z.output<typeof cancellation.input>;
type Answer = z.output<typeof cancellation.output>;

/**
 * Calls an order's delivery off, or sees to it that there never is one. A second time it changes nothing. Refuses with
 * INVALID_TRANSITION where it is too late. Answers the number of the delivery's last change, null where it has
 * none, and who had it.
 */
export const cancelDelivery = (
  database: Database,
  request: Cancellation,
  geography: Geography,
): Promise<Result<Answer>> =>
  refusable(() =>
    database.transaction(async (tx): Promise<Answer> => {
      const isNews = await close(tx, request);
      const [delivery] = await lockDeliveries(tx, 'where d.order_id = $1', [request.orderId]);
      if (!delivery) {
        if (isNews) await tell(tx, request);
        return { sequence: null, courierUserId: null };
      }
      const courierUserId = delivery.courier?.userId ?? null;
      if (delivery.status === 'CANCELLED') return { sequence: delivery.sequence, courierUserId };
      const refusal = refuseMove(delivery.status, 'CANCELLED');
      if (refusal) must(refusal);
      const { by, reason } = request;
      const after: DeliveryState = { ...delivery, status: 'CANCELLED' };
      await apply(tx, [{ delivery, after, reason, by }], geography);
      return { sequence: delivery.sequence + 1, courierUserId };
    }),
  );

/**
 * From now on no delivery begins: the order's row is locked until this one has ended, or none could come meanwhile.
 * Answers whether that is news.
 */
async function close(tx: Tx, { orderId, userId }: Cancellation): Promise<boolean> {
  const { rows } = await tx.query<{ before: boolean | null }>(
    `insert into known_orders as k (order_id, user_id, closed) values ($1, $2, true)
     on conflict (order_id) do update set closed = true returning old.closed as before`,
    [orderId, userId],
  );
  return rows[0]?.before !== true;
}

/** For when whoever asked ends before it has written the answer. */
const tell = (tx: Tx, { orderId, userId }: Cancellation): Promise<unknown> =>
  insertOutbox(tx, [
    toMessage(
      'delivery',
      deliveryStatusUpdated,
      { deliveryId: null, orderId, userId, courierUserId: null, sequence: 1, status: 'CANCELLED' },
      new Date(),
    ),
  ]);
