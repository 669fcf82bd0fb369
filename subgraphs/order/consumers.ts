import { deliveryStatusUpdated } from '../../events/delivery.js';
import { paymentCompleted } from '../../events/payment.js';
import { productUpdated } from '../../events/product.js';
import { userDeleted, userUpdated } from '../../events/user.js';
import { userNewsConsumers } from '../../platform/auth/user-news.js';
import type { AnyConsumer } from '../../platform/bus/bus.js';
import { forgetting } from '../../platform/cache/forgetting.js';
import type { RowCache } from '../../platform/cache/rows.js';
import { inboxConsumer } from '../../platform/inbox.js';
import type { Database } from '../../platform/postgres/database.js';
import { learn } from './changes.js';
import type { ProductRow } from './rows.js';
import { learnUsers } from './users.js';

const group = 'order';

/** What the order service does when events arrive. `gone` is called when users were deleted, or may do something else. */
export const consumers = (
  database: Database,
  products: RowCache<ProductRow>,
  gone: () => void,
): AnyConsumer[] => [
  forgetting(group, productUpdated, products, ({ productId }) => productId),
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
  ...userNewsConsumers({
    ...{ database, group, updated: userUpdated, deleted: userDeleted },
    learn: learnUsers,
    committed: gone,
  }),
];
