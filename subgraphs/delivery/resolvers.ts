import {
  authenticated,
  isCourier,
  isStaff,
  maySee,
  type Principal,
  staff,
} from '../../platform/auth/principal.js';
import { badInput, problem, unwrap } from '../../platform/errors.js';
import { connectionResolvers, readPage, toPage } from '../../platform/graphql/connection.js';
import { decodeCommitPosition, decodeSequence, encodeCursor } from '../../platform/graphql/cursor.js';
import { scalars } from '../../platform/graphql/scalars.js';
import { checkId, isId } from '../../platform/ids.js';
import type { Mover } from './dispatch.js';
import { isFinal } from './domain.js';
import { type FeedFilter, filterId } from './feed.js';
import type { DeliveryFilter, Resolvers } from './generated/graphql.js';
import type { ListFilter, Loaders } from './reads.js';
import type { CourierRow, DeliveryChangeRow, DeliveryRow, LocationRow } from './rows.js';

const cursorScope = (orderId: string) => `delivery:${orderId}`;
const feedScope = 'feed:deliveries';

export const resolvers: Resolvers = {
  DateTime: scalars.DateTime,
  Cursor: scalars.Cursor,
  PhoneNumber: scalars.PhoneNumber,

  Query: {
    async delivery(_, { id }, context) {
      const principal = authenticated(context.principal);
      const delivery = await context.loaders.delivery.load(checkId(id, 'id'));
      if (delivery && maySeeDelivery(principal, delivery)) return delivery;
      throw problem('NOT_FOUND', 'There is no such delivery.');
    },
    async deliveries(_, { filter: input, ...args }, { principal, loaders }) {
      const filter = listFilter(authenticated(principal), input);
      const page = readPage('deliveries', args);
      return toPage(page, await loaders.deliveries(filter, page), () => loaders.deliveryCount(filter));
    },
    async courier(_, { id }, { principal, loaders }) {
      const viewer = authenticated(principal);
      const courier = await loaders.courier.load(checkId(id, 'id'));
      if (courier && isSelfOrStaff(viewer, courier)) return courier;
      throw problem('NOT_FOUND', 'There is no such courier.');
    },
    async couriers(_, { status = null, ...args }, { principal, loaders }) {
      staff(principal);
      const page = readPage('couriers', args);
      return toPage(page, await loaders.couriers(status, page), () => loaders.courierCount(status));
    },
    availableCourier(_, { transport = null }, { principal, loaders }) {
      staff(principal);
      return loaders.nextCourier(transport);
    },
  },

  Mutation: {
    async createCourier(_, { input }, { principal, couriers, loaders }) {
      staff(principal);
      const userId = typeof input.userId === 'string' ? checkId(input.userId, 'userId') : null;
      return courierBy(loaders, unwrap(await couriers.create({ ...input, userId })));
    },
    async updateCourier(_, { input: { id, ...input } }, { principal, couriers, loaders }) {
      staff(principal);
      return courierBy(loaders, unwrap(await couriers.update(checkId(id, 'id'), input)));
    },
    async setCourierStatus(_, { id, status }, { principal, couriers, loaders }) {
      const { userId } = typeof id === 'string' ? staff(principal) : courierAccount(principal);
      const who = typeof id === 'string' ? { id: checkId(id, 'id') } : { userId };
      return courierBy(loaders, unwrap(await couriers.setStatus(who, status)));
    },
    async assignCourier(_, { orderId, courierId }, { principal, dispatch, loaders }) {
      staff(principal);
      const to = typeof courierId === 'string' ? checkId(courierId, 'courierId') : null;
      return deliveryBy(loaders, unwrap(await dispatch.assign(checkId(orderId, 'orderId'), to)));
    },
    async unassignCourier(_, { orderId }, { principal, dispatch, loaders }) {
      staff(principal);
      return deliveryBy(loaders, unwrap(await dispatch.unassign(checkId(orderId, 'orderId'))));
    },
    async updateDeliveryStatus(_, { orderId, status, reason }, { principal, dispatch, loaders }) {
      const { userId, ...mover } = authenticated(principal);
      const isMovedByStaff = isStaff({ userId, ...mover });
      if (!isMovedByStaff) courierAccount(principal);
      const by: Mover = isMovedByStaff ? 'staff' : { userId };
      const id = unwrap(await dispatch.move(checkId(orderId, 'orderId'), status, reason, by));
      return deliveryBy(loaders, id);
    },
    async reportLocation(_, place, { principal, couriers, loaders }) {
      const { userId } = courierAccount(principal);
      return courierBy(loaders, unwrap(await couriers.report(userId, place)));
    },
  },

  Subscription: {
    deliveryStatusChanged: {
      subscribe(_, args, { principal, live }) {
        const watcher = authenticated(principal);
        const orderId = checkId(args.orderId, 'orderId');
        const after = decodeSequence(args.after, cursorScope(orderId));
        return live.watch({ id: orderId, after, mayWatch: isOneOf(watcher) });
      },
      resolve: (change: DeliveryChangeRow) => change,
    },
    courierMoved: {
      subscribe(_, args, { principal, places }) {
        const watcher = authenticated(principal);
        const orderId = checkId(args.orderId, 'orderId');
        return places.watch({ id: orderId, after: null, mayWatch: isOneOf(watcher) });
      },
      resolve: (location: LocationRow) => location,
    },
    deliveriesChanged: {
      subscribe(_, { filter, after }, { principal, feed }) {
        if (!isStaff(authenticated(principal)))
          throw problem('FORBIDDEN', 'Staff alone watches all deliveries.');
        if (filter?.overdue !== null && filter?.overdue !== undefined)
          throw badInput('overdue narrows lists alone.', 'filter.overdue');
        const position = decodeCommitPosition(after, feedScope);
        return feed.watch({
          id: filterId(readFilter(filter)),
          after: position && { ...position, until: null },
        });
      },
      resolve: (change: DeliveryChangeRow) => change,
    },
  },

  Delivery: {
    async __resolveReference(reference, { principal, loaders }) {
      const viewer = authenticated(principal);
      const delivery = isId(reference.id) ? await loaders.delivery.load(reference.id) : null;
      return delivery && maySeeDelivery(viewer, delivery) ? delivery : null;
    },
    order: ({ orderId, userId }) => ({ id: orderId, user: { id: userId } }),
    estimatedAt: ({ status, courierId, estimatedAt }) =>
      courierId === null || isFinal(status) ? null : estimatedAt,
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
    async __resolveReference(reference, { principal, loaders }) {
      const viewer = authenticated(principal);
      const courier = isId(reference.id) ? await loaders.courier.load(reference.id) : null;
      // Everybody else sees a courier by its delivery, which is in this service.
      return courier && isSelfOrStaff(viewer, courier) ? courier : null;
    },
    phone: (courier, _, { principal }) =>
      isSelfOrStaff(authenticated(principal), courier) ? courier.phone : null,
    user: (courier, _, { principal }) =>
      courier.userId && isSelfOrStaff(authenticated(principal), courier) ? { id: courier.userId } : null,
    // Customers see a courier by its delivery, and where it is for as long as it comes to them.
    location(courier, _, { principal }) {
      const viewer = authenticated(principal);
      const { latitude, longitude, locatedAt: at, customerId, estimatedAt } = courier;
      if (!isSelfOrStaff(viewer, courier) && viewer.userId !== customerId) return null;
      return latitude === null || longitude === null || at === null
        ? null
        : { latitude, longitude, at, estimatedAt };
    },
    async deliveries(courier, { active = null, ...args }, { principal, loaders }) {
      if (!isSelfOrStaff(authenticated(principal), courier)) return null;
      const page = readPage(`deliveries of ${courier.id}`, args);
      const { rows, counts } = loaders.deliveriesOfCourier({ ...page, scope: 'deliveries' }, active);
      return toPage(page, await rows.load(courier.id), () => counts.load(courier.id));
    },
  },

  CourierConnection: connectionResolvers<CourierRow>(),
  DeliveryConnection: connectionResolvers<DeliveryRow>(),

  Order: {
    __resolveReference: ({ id }) => (isId(id) ? { id } : null),
    async delivery({ id }, _, { principal, loaders }) {
      const viewer = authenticated(principal);
      const delivery = await loaders.deliveryOfOrder.load(id);
      return delivery && maySeeDelivery(viewer, delivery) ? delivery : null;
    },
  },
};

/** Whose order it is, who brings it, and staff. */
const isOneOf =
  (viewer: Principal) =>
  (userId: string, courierUserId: string | null): boolean =>
    maySee(viewer, userId) || isCourier(viewer, courierUserId);

const maySeeDelivery = (viewer: Principal, { userId, courierUserId }: DeliveryRow): boolean =>
  isOneOf(viewer)(userId, courierUserId);

const isSelfOrStaff = (viewer: Principal, { userId }: CourierRow): boolean =>
  isStaff(viewer) || isCourier(viewer, userId);

/** @throws UNAUTHENTICATED, FORBIDDEN unless a courier asks */
function courierAccount(principal: Principal | null): Principal {
  const asked = authenticated(principal);
  if (asked.role === 'COURIER') return asked;
  throw problem('FORBIDDEN', 'This is for couriers alone.');
}

async function courierBy(loaders: Loaders, id: string): Promise<CourierRow> {
  const courier = await loaders.courier.load(id);
  if (!courier) throw new Error(`courier ${id} is gone`);
  return courier;
}

async function deliveryBy(loaders: Loaders, id: string): Promise<DeliveryRow> {
  const delivery = await loaders.delivery.clear(id).load(id);
  if (!delivery) throw new Error(`delivery ${id} is gone`);
  return delivery;
}

/** What a list is narrowed to: a customer's orders, a courier's deliveries, or what the filter says for staff. */
function listFilter(viewer: Principal, input: DeliveryFilter | null | undefined): ListFilter {
  return {
    ...readFilter(input),
    overdue: input?.overdue ?? null,
    userId: isStaff(viewer) || viewer.role === 'COURIER' ? null : viewer.userId,
    courierUserId: viewer.role === 'COURIER' ? viewer.userId : null,
  };
}

const maxListed = 100;

/** @throws BAD_USER_INPUT */
function readFilter(input: DeliveryFilter | null | undefined): FeedFilter {
  const { status = null, courierId = null } = input ?? {};
  if (status !== null && (status.length < 1 || status.length > maxListed))
    throw badInput(`status lists 1 to ${maxListed} statuses.`, 'filter.status');
  return { status, courierId: courierId === null ? null : checkId(courierId, 'filter.courierId') };
}
