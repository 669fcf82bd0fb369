import { authenticated, isStaff, maySee } from '../../platform/auth/principal.js';
import { badInput, problem } from '../../platform/errors.js';
import { decodeCommitPosition, decodeSequence, encodeCursor } from '../../platform/graphql/cursor.js';
import { scalars } from '../../platform/graphql/scalars.js';
import { checkId, isId } from '../../platform/ids.js';
import { filterId } from './feed.js';
import type { DeliveryFilter, Resolvers } from './generated/graphql.js';
import type { DeliveryChangeRow } from './rows.js';

const cursorScope = (orderId: string) => `delivery:${orderId}`;
const feedScope = 'feed:deliveries';

export const resolvers: Resolvers = {
  DateTime: scalars.DateTime,
  Cursor: scalars.Cursor,

  Query: {
    async delivery(_, { id }, context) {
      const principal = authenticated(context.principal);
      const delivery = await context.loaders.delivery.load(checkId(id, 'id'));
      if (delivery && maySee(principal, delivery.userId)) return delivery;
      throw problem('NOT_FOUND', 'There is no such delivery.');
    },
  },

  Subscription: {
    deliveryStatusChanged: {
      subscribe(_, args, { principal, live }) {
        const watcher = authenticated(principal);
        const orderId = checkId(args.orderId, 'orderId');
        const after = decodeSequence(args.after, cursorScope(orderId));
        return live.watch({ id: orderId, after, mayWatch: (ownerId) => maySee(watcher, ownerId) });
      },
      resolve: (change: DeliveryChangeRow) => change,
    },
    deliveriesChanged: {
      subscribe(_, { filter, after }, { principal, feed }) {
        if (!isStaff(authenticated(principal)))
          throw problem('FORBIDDEN', 'Staff alone watches all deliveries.');
        const position = decodeCommitPosition(after, feedScope);
        return feed.watch({ id: readFilter(filter), after: position && { ...position, until: null } });
      },
      resolve: (change: DeliveryChangeRow) => change,
    },
  },

  Delivery: {
    async __resolveReference(reference, { principal, loaders }) {
      const viewer = authenticated(principal);
      const delivery = isId(reference.id) ? await loaders.delivery.load(reference.id) : null;
      return delivery && maySee(viewer, delivery.userId) ? delivery : null;
    },
    order: ({ orderId, userId }) => ({ id: orderId, user: { id: userId } }),
    courier: ({ courierId }, _, { loaders }) => (courierId ? loaders.courier.load(courierId) : null),
    history: ({ id }, _, { loaders }) => loaders.history.load(id),
  },

  DeliveryStatusChange: {
    cursor: ({ orderId, sequence, feed }) =>
      feed ? encodeCursor(feedScope, feed) : encodeCursor(cursorScope(orderId), sequence),
    async delivery({ deliveryId }, _, { loaders }) {
      const delivery = await loaders.delivery.load(deliveryId);
      if (!delivery) throw new Error(`delivery ${deliveryId} is gone, in spite of its foreign key`);
      return delivery;
    },
    order: ({ orderId, userId }) => ({ id: orderId, user: { id: userId } }),
  },

  Courier: {
    __resolveReference(reference, { principal, loaders }) {
      // Everybody else sees a courier by its delivery, which is in this service.
      return isStaff(authenticated(principal)) && isId(reference.id)
        ? loaders.courier.load(reference.id)
        : null;
    },
  },

  Order: {
    __resolveReference: ({ id }) => (isId(id) ? { id } : null),
    async delivery({ id }, _, { principal, loaders }) {
      const viewer = authenticated(principal);
      const delivery = await loaders.deliveryOfOrder.load(id);
      return delivery && maySee(viewer, delivery.userId) ? delivery : null;
    },
  },
};

const maxListed = 100;

/** The filter as what the feed is watched by. */
function readFilter(input: DeliveryFilter | null | undefined): string {
  const { status = null, courierId = null } = input ?? {};
  if (status !== null && (status.length < 1 || status.length > maxListed))
    throw badInput(`status lists 1 to ${maxListed} statuses.`, 'filter.status');
  return filterId({
    status,
    courierId: courierId === null ? null : checkId(courierId, 'filter.courierId'),
  });
}
