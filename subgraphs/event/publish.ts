import { GraphQLError } from 'graphql';
import type { z } from 'zod';
import { type CustomKind, customEvent, customKinds } from '../../events/custom.js';
import { pause } from '../../platform/bell.js';
import type { Bus } from '../../platform/bus/bus.js';
import { type Message, parseMessage, toMessage } from '../../platform/bus/event.js';
import { ok, problem, type Result, refuse } from '../../platform/errors.js';
import { isId } from '../../platform/ids.js';
import type { Log } from '../../platform/log.js';
import type { Database } from '../../platform/postgres/database.js';
import { checkSizes, checkType, completeData, maxEvents, type NewEvent } from './domain.js';
import type { EventRow } from './rows.js';
import { systemTypes } from './store.js';

export interface PublishRequest extends NewEvent {
  kind: CustomKind;
}

/** So long for the bus to take them: less than the gateway gives to all of the answer. */
const patienceMs = 7_000;
/** What cannot be published waits; so many requests at most. */
const mostWaiting = 50;

export interface EventCommands {
  /**
   * Publishes events as one batch, all of them or, where any is refused, none.
   * @throws SERVICE_UNAVAILABLE where the bus does not take them, as far as is known
   */
  publish(requests: readonly PublishRequest[]): Promise<Result<EventRow[]>>;
}

export function eventCommands({
  database,
  bus,
  log,
}: {
  database: Database;
  bus: Bus;
  log: Log;
}): EventCommands {
  let waiting = 0;

  async function send(messages: Message[]): Promise<void> {
    if (waiting >= mostWaiting)
      throw problem(
        'SERVICE_UNAVAILABLE',
        'Nothing was published: too much waits for the event bus already.',
      );
    waiting += 1;
    const sending = bus.publish(messages).finally(() => {
      waiting -= 1;
    });
    const patience = new AbortController();
    const late = pause(patienceMs, patience.signal).then(() => {
      if (!patience.signal.aborted) throw new Error(`the bus has not answered in ${patienceMs} ms`);
    });
    try {
      await Promise.race([sending, late]);
    } finally {
      patience.abort();
      // What is late may still fail, or not.
      sending.catch(() => undefined);
    }
  }

  /** How many could not be published is for `eventStats`, which may miss some: that has nobody wait longer. */
  const noteFailure = (types: string[]): Promise<unknown> =>
    database
      .query(
        `insert into event_counts as c (type, failed)
         select type, count(*) from unnest($1::text[]) as n (type) group by type order by type
         on conflict (type) do update set failed = c.failed + excluded.failed`,
        [types],
      )
      .catch((error: unknown) => log.warn({ err: error }, 'failed events were not counted'));

  return {
    async publish(requests) {
      const made = makeMessages(requests, new Date());
      if (!made.ok) return made;
      const messages = made.value;
      const rows = messages.map(toRow);
      try {
        await send(messages);
      } catch (error) {
        await noteFailure(rows.map(({ type }) => type));
        if (error instanceof GraphQLError) throw error;
        log.warn({ err: error, events: messages.length }, 'events could not be published');
        throw problem(
          'SERVICE_UNAVAILABLE',
          'The event bus has not said that it has the events. Look for their ids before you try again: it may have them.',
          { eventIds: messages.map(({ id }) => id) },
        );
      }
      return ok(rows);
    },
  };
}

/** The events as messages, once all of them are known to be right. */
function makeMessages(requests: readonly PublishRequest[], at: Date): Result<Message[]> {
  if (requests.length < 1 || requests.length > maxEvents)
    return refuse('BAD_USER_INPUT', `inputs lists 1 to ${maxEvents} events.`, 'inputs');
  const messages: Message[] = [];
  for (const [index, request] of requests.entries()) {
    const made = makeMessage(request, at);
    if (!made.ok) return { ...made, field: `inputs.${index}.${made.field}` };
    messages.push(made.value);
  }
  const sizes = checkSizes(requests.map(({ data }) => Buffer.byteLength(JSON.stringify(data))));
  return sizes.ok ? ok(messages) : sizes;
}

function makeMessage(request: PublishRequest, at: Date): Result<Message> {
  const type = checkType(request.type, systemTypes);
  if (!type.ok) return type;
  for (const name of ['userId', 'orderId'] as const)
    if (request[name] !== null && !isId(request[name]))
      return refuse('BAD_USER_INPUT', `${name} is not an id.`, name);
  const data = completeData({
    userId: request.userId?.toLowerCase() ?? null,
    orderId: request.orderId?.toLowerCase() ?? null,
    data: request.data,
  });
  if (!data.ok) return data;
  const read = customKinds[request.kind].safeParse(data.value);
  if (!read.success) return refuse('BAD_USER_INPUT', ...complaint(request, data.value, read.error));
  return ok(toMessage('event', customEvent, read.data, at, { type: type.value }));
}

/** What is wrong with the data, and where that is in the input. */
function complaint(
  { kind }: PublishRequest,
  data: Record<string, unknown>,
  error: z.ZodError,
): [string, string] {
  const [issue] = error.issues;
  const path = issue?.path.join('.') ?? '';
  const isMissing = data[path] === undefined || data[path] === null;
  if (isMissing) {
    const isId = path === 'userId' || path === 'orderId';
    return [`An event of kind ${kind} has ${isId ? path : `data.${path}`}.`, isId ? path : `data.${path}`];
  }
  return [`data.${path}: ${issue?.message ?? ''}`, `data.${path}`];
}

/** What the store will have of it; its place is known only there. */
function toRow(message: Message): EventRow {
  const event = parseMessage(customEvent, message);
  if (typeof event === 'string') throw new Error(event);
  const { id, type, source, time, data } = event;
  return {
    ...{ id, type, source, subject: null, data, at: time, place: null },
    userId: data.userId?.toLowerCase() ?? null,
    orderId: data.orderId?.toLowerCase() ?? null,
  };
}
