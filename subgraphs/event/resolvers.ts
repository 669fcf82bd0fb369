import { authenticated, isCourier, maySee, staff } from '../../platform/auth/principal.js';
import { badInput, problem } from '../../platform/errors.js';
import { connectionResolvers, maxFirst, readPage, toPage } from '../../platform/graphql/connection.js';
import { encodeCursor } from '../../platform/graphql/cursor.js';
import { readTime } from '../../platform/graphql/input.js';
import { scalars } from '../../platform/graphql/scalars.js';
import { checkId, isId } from '../../platform/ids.js';
import { isText } from '../../platform/text.js';
import type { EventFilter as EventFilterInput, Resolvers } from './generated/graphql.js';
import type { EventFilter } from './reads.js';
import type { EventRow } from './rows.js';

const feedScope = 'feed:events';
const timelineLength = 50;
const noSuchEvent = () => problem('NOT_FOUND', 'There is no such event.');

export const resolvers: Resolvers = {
  DateTime: scalars.DateTime,
  Cursor: scalars.Cursor,
  JSON: scalars.JSON,

  Query: {
    me: (_, __, { principal }) => (principal ? { id: principal.userId } : null),
    async event(_, { id }, { principal, loaders }) {
      staff(principal);
      const event = await loaders.event.load(checkId(id, 'id'));
      if (!event) throw noSuchEvent();
      return event;
    },
    async events(_, { filter: input, ...args }, { principal, loaders }) {
      staff(principal);
      const filter = readFilter(input);
      const page = readPage('events', args);
      return toPage(page, await loaders.events(filter, page), () => loaders.eventCount(filter));
    },
  },

  Event: {
    async __resolveReference(reference, { principal, loaders }) {
      const viewer = authenticated(principal);
      const event = isId(reference.id) ? await loaders.event.load(reference.id) : null;
      return event && maySee(viewer, event.userId ?? '') ? event : null;
    },
    cursor: ({ place }) => encodeCursor(feedScope, place),
    subject: ({ subject, orderId, userId }) =>
      subject ?? (orderId ? `order/${orderId}` : userId ? `user/${userId}` : null),
    user: ({ userId }) => (userId ? { id: userId } : null),
    order: ({ orderId }) => (orderId ? { id: orderId } : null),
    data: ({ data }) => data ?? { erased: true },
  },

  Order: {
    __resolveReference: ({ id }) => (isId(id) ? { id: id.toLowerCase() } : null),
    async timeline({ id }, { first }, { principal, loaders }) {
      const viewer = authenticated(principal);
      const most = first ?? timelineLength;
      if (most < 0 || most > maxFirst) throw badInput(`first is a number from 0 to ${maxFirst}.`, 'first');
      const rows = await loaders.timeline(most).load(id);
      const { ownerId = null, courierUserId = null } = rows[0] ?? {};
      if (!maySee(viewer, ownerId ?? '') && !isCourier(viewer, courierUserId)) return null;
      return rows.filter((row) => row.id !== null);
    },
  },

  User: {
    __resolveReference: ({ id }) => (isId(id) ? { id: id.toLowerCase() } : null),
    async events({ id: userId }, args, { principal, loaders }) {
      if (!maySee(authenticated(principal), userId)) throw noSuchEvent();
      const page = readPage(`events of ${userId}`, args);
      const rows = await loaders.eventsOfUser({ ...page, scope: 'events' }).load(userId);
      return toPage(page, rows, () => loaders.countOfUser.load(userId));
    },
  },

  EventConnection: connectionResolvers<EventRow>(),
};

const maxType = 200;

/** @throws BAD_USER_INPUT */
function readFilter(input: EventFilterInput | null | undefined): EventFilter {
  const { type = null, userId = null, orderId = null, since = null, until = null } = input ?? {};
  if (type !== null && (type.length > maxType || !isText(type)))
    throw badInput(`type has at most ${maxType} characters.`, 'filter.type');
  return {
    type,
    userId: userId === null ? null : checkId(userId, 'filter.userId'),
    orderId: orderId === null ? null : checkId(orderId, 'filter.orderId'),
    since: since === null ? null : readTime(since, 'filter.since'),
    until: until === null ? null : readTime(until, 'filter.until'),
  };
}
