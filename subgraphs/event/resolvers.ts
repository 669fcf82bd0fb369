import { courierLocationUpdated, deliveryStatusUpdated } from '../../events/delivery.js';
import { paymentCompleted, paymentRefunded } from '../../events/payment.js';
import {
  authenticated,
  isCourier,
  isStaff,
  maySee,
  type Principal,
  staff,
} from '../../platform/auth/principal.js';
import { badInput, problem, type Result, unwrap } from '../../platform/errors.js';
import { connectionResolvers, maxFirst, readPage, toPage } from '../../platform/graphql/connection.js';
import { decodeCommitPosition, encodeCursor } from '../../platform/graphql/cursor.js';
import { readTime } from '../../platform/graphql/input.js';
import { scalars } from '../../platform/graphql/scalars.js';
import { checkId, isId } from '../../platform/ids.js';
import { isText } from '../../platform/text.js';
import { filterId, readNow } from './feed.js';
import type { EventFilter as EventFilterInput, PublishEventInput, Resolvers } from './generated/graphql.js';
import type { PublishRequest } from './publish.js';
import type { EventFilter } from './reads.js';
import type { DeadLetterRow, EventRow } from './rows.js';

const feedScope = 'feed:events';
const timelineLength = 50;
const defaultReplayed = 100;
const maxReplayed = 1_000;
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
    async eventStats(_, __, { principal, loaders }) {
      staff(principal);
      return { counts: await loaders.counts() };
    },
    async deadLetters(_, { topic, ...args }, { principal, bus }) {
      staff(principal);
      const page = readPage('dead letters', args, isText);
      const letters = await bus.deadLetters(readTopic(topic));
      // What comes after one that has been replayed meanwhile is found all the same.
      const after = letters.filter(({ id }) => page.after === null || id > page.after);
      return toPage(page, after.slice(0, page.first + 1), async () => letters.length);
    },
  },

  Mutation: {
    async publishEvent(_, { input }, { principal, commands }) {
      staff(principal);
      const [event] = unwrap(ofOne(await commands.publish([readInput(input)])));
      if (!event) throw new Error('an event was published, and is not there');
      return event;
    },
    async publishEvents(_, { inputs }, { principal, commands }) {
      staff(principal);
      return unwrap(await commands.publish(inputs.map(readInput)));
    },
    async replayDeadLetters(_, { topic: given, first }, { principal, bus }) {
      if (staff(principal).role !== 'ADMIN') throw problem('FORBIDDEN', 'This is for an ADMIN alone.');
      const most = first ?? defaultReplayed;
      if (most < 0 || most > maxReplayed)
        throw badInput(`first is a number from 0 to ${maxReplayed}.`, 'first');
      const topic = readTopic(given);
      return bus.replayDeadLetters({ first: most, ...(topic !== undefined && { topic }) });
    },
  },

  Subscription: {
    eventPublished: {
      async subscribe(_, args, { principal, feed, reader }) {
        staff(principal);
        const id = filterId(readFilter(args.filter));
        const after = decodeCommitPosition(args.after, feedScope);
        return feed.watch({ id, after: after ?? (await readNow(reader)) });
      },
      resolve: (event: EventRow) => event,
    },
  },

  EventStats: {
    total: ({ counts }) => toInt(sumOf(counts.map(({ stored }) => stored))),
    failed: ({ counts }) => toInt(sumOf(counts.map(({ failed }) => failed))),
    perType: ({ counts }) =>
      counts.filter(({ stored }) => stored > 0).map(({ type, stored }) => ({ type, count: toInt(stored) })),
    consumerLag: async (_, __, { bus }) =>
      (await bus.lag()).map(({ lag, ...place }) => ({ ...place, lag: toInt(lag) })),
    deadLetters: async (_, __, { bus }) => toInt(await bus.countDeadLetters()),
  },

  DeadLetter: {
    value: ({ value }, _, { principal }) => (principal?.role === 'ADMIN' ? value : null),
  },
  DeadLetterConnection: connectionResolvers<DeadLetterRow>(),

  Event: {
    async __resolveReference(reference, { principal, loaders }) {
      const viewer = authenticated(principal);
      const event = isId(reference.id) ? await loaders.event.load(reference.id) : null;
      if (!event || !maySee(viewer, event.userId ?? '')) return null;
      return isStaff(viewer) || event.type !== courierLocationUpdated.topic ? event : null;
    },
    cursor: async ({ id, place }, _, { loaders }) =>
      encodeCursor(feedScope, place ?? (await loaders.place.load(id))),
    subject: ({ subject, orderId, userId }) =>
      subject ?? (orderId ? `order/${orderId}` : userId ? `user/${userId}` : null),
    user: ({ userId }) => (userId ? { id: userId } : null),
    order: ({ orderId }) => (orderId ? { id: orderId } : null),
    data: (event, _, { principal }) => dataFor(authenticated(principal), event),
  },

  Order: {
    __resolveReference: ({ id }) => (isId(id) ? { id } : null),
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
    __resolveReference: ({ id }) => (isId(id) ? { id } : null),
    async events({ id: userId }, args, { principal, loaders }) {
      const viewer = authenticated(principal);
      if (!maySee(viewer, userId)) throw noSuchEvent();
      const page = readPage(`events of ${userId}`, args);
      // A customer sees where a courier is while it comes, in the delivery service; not where it was.
      const { rows, counts } = loaders.eventsOfUser({ ...page, scope: 'events' }, isStaff(viewer));
      return toPage(page, await rows.load(userId), () => counts.load(userId));
    },
  },

  EventConnection: connectionResolvers<EventRow>(),
};

const ofPayments: ReadonlySet<string> = new Set([paymentCompleted.topic, paymentRefunded.topic]);

/**
 * What an event tells whoever may see it; the account of a courier, staff and that courier alone, and of a payment, staff
 * and whose it is.
 */
function dataFor(viewer: Principal, { type, userId, data }: EventRow): unknown {
  const told = (data ?? { erased: true }) as Record<string, unknown>;
  if (isStaff(viewer)) return told;
  if (ofPayments.has(type) && data !== null && viewer.userId !== userId)
    return { orderId: told['orderId'], userId };
  if (type !== deliveryStatusUpdated.topic) return told;
  const { courierUserId = null, ...rest } = told as { courierUserId?: string | null };
  return isCourier(viewer, courierUserId) ? told : rest;
}

const maxInt = 2 ** 31 - 1;
/** What GraphQL's Int holds: more is as much as it can tell. */
const toInt = (value: number): number => Math.min(value, maxInt);
const sumOf = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);

/** The path of what is wrong, where there is one event alone. */
const ofOne = <T>(result: Result<T>): Result<T> =>
  result.ok || result.field === undefined
    ? result
    : { ...result, field: result.field.replace('inputs.0.', '') };

const readInput = ({ kind, type, userId, orderId, data }: PublishEventInput): PublishRequest => ({
  ...{ kind, type, userId: userId ?? null, orderId: orderId ?? null, data },
});

/** @throws BAD_USER_INPUT */
function readTopic(topic: string | null | undefined): string | undefined {
  if (topic === null || topic === undefined) return undefined;
  if (topic.length <= maxType && isText(topic)) return topic;
  throw badInput(`topic has at most ${maxType} characters.`, 'topic');
}

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
