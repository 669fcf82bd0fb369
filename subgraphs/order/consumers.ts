import { deliveryStatusUpdated } from '../../events/delivery.js';
import { paymentCompleted } from '../../events/payment.js';
import type { AnyConsumer } from '../../platform/bus/bus.js';
import { inboxConsumer } from '../../platform/inbox.js';
import type { Database } from '../../platform/postgres/database.js';
import { learn } from './changes.js';

const group = 'order';

/** What the order service does when events arrive. */
export const consumers = (database: Database): AnyConsumer[] => [
  inboxConsumer({
    database,
    group,
    contract: paymentCompleted,
    handle: (tx, events) =>
      learn(
        tx,
        events.map(({ data: { orderId, status } }) => ({ orderId, fact: { kind: 'payment', status } })),
      ),
  }),
  inboxConsumer({
    database,
    group,
    contract: deliveryStatusUpdated,
    handle: (tx, events) =>
      learn(
        tx,
        events.map(({ data: { deliveryId, orderId, ...delivery } }) => ({
          orderId,
          fact: deliveryId === null ? { kind: 'cancelled' } : { kind: 'delivery', ...delivery },
        })),
      ),
  }),
];
