import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { customEvent } from '../../events/custom.js';
import { courierLocationUpdated, deliveryStatusUpdated } from '../../events/delivery.js';
import { orderCancelled, orderCreated } from '../../events/order.js';
import { userDeleted, userRegistered } from '../../events/user.js';
import {
  type Contract,
  type Event,
  type Message,
  parseMessage,
  toMessage,
} from '../../platform/bus/event.js';
import type { Database } from '../../platform/postgres/database.js';
import { gate } from '../../platform/testing/gate.js';
import { consumerOf, counting, serviceDatabase } from '../../test/support/service.js';
import { consumers } from './store.js';

let database: Database;
beforeEach(async () => {
  database = await serviceDatabase('event');
});

const handle = (contract: { topic: string }, events: Event<unknown>[], on = database) =>
  consumerOf(
    consumers(on, () => {}),
    contract,
  ).handle(events);

/** An event as the store gets it: read by the store's own contract. */
function heard<T>(
  contract: Contract<T>,
  data: NoInfer<T>,
  more: { id?: string; type?: string; at?: Date } = {},
) {
  const { at = new Date(), ...rest } = more;
  return parsed(contract, toMessage('test', contract, data, at, rest));
}

function parsed(contract: { topic: string }, message: Message): Event<unknown> {
  const consumer = consumerOf(
    consumers(database, () => {}),
    contract,
  );
  const event = parseMessage(consumer.contract, message);
  if (typeof event === 'string') throw new Error(event);
  return event;
}

interface Stored {
  id: string;
  type: string;
  data: unknown;
}
const stored = async (): Promise<Stored[]> =>
  (await database.query<Stored>('select id, type, data from events order by n')).rows;
const counts = async () =>
  Object.fromEntries(
    (
      await database.query<{ type: string; stored: number }>('select type, stored from event_counts')
    ).rows.map(({ type, stored: count }) => [type, count]),
  );

const registered = (userId: string = randomUUID()) => heard(userRegistered, { userId });
const cancelled = (userId: string) => heard(orderCancelled, { orderId: randomUUID(), userId });

test('every topic is consumed, by one group', () => {
  const all = consumers(database, () => {});
  expect(new Set(all.map(({ group }) => group))).toEqual(new Set(['event']));
  expect(all.map(({ contract }) => contract.topic)).toContain('courier.location.updated');
});

test('an event is stored as it came, with whom it concerns, and with what this version does not know', async () => {
  const [orderId, userId] = [randomUUID(), randomUUID()];
  const message = toMessage(
    'order',
    orderCancelled,
    { orderId, userId },
    new Date('2026-11-27T08:00:00.123Z'),
  );
  const value = message.value.replace('"data":{', '"subject":"it","data":{"nul":"\\u0000","half":"\\ud800",');
  await handle(orderCancelled, [parsed(orderCancelled, { ...message, value })]);
  const { rows } = await database.query('select *, n > 0 as numbered from events');
  expect(rows).toMatchObject([
    {
      ...{ id: message.id, type: 'order.cancelled', topic: 'order.cancelled', source: '/doorstep/order' },
      ...{ subject: 'it', user_id: userId, order_id: orderId, courier_user_id: null, milestone: true },
      ...{ at: new Date('2026-11-27T08:00:00.123Z'), numbered: true },
      data: { nul: '\0', half: '\ud800', orderId, userId },
    },
  ]);
});

test('an event that comes again, in a batch or later, is stored and counted once', async () => {
  const [one, other] = [registered(), registered()];
  await handle(userRegistered, [one, one, other]);
  await handle(userRegistered, [other, one]);
  await database.query('truncate inbox');
  await handle(userRegistered, [other, registered()]);
  expect(await stored()).toHaveLength(3);
  expect(await counts()).toEqual({ 'user.registered': 3 });
});

test.each([1, 100])('a batch of %i takes as many statements', async (size) => {
  const { database: counted, count } = counting(database);
  await handle(
    userRegistered,
    Array.from({ length: size }, () => registered()),
    counted,
  );
  expect(count()).toBe(3);
});

test('an erasure of one or of many takes as many statements', async () => {
  for (const size of [1, 50]) {
    const { database: counted, count } = counting(database);
    const events = Array.from({ length: size }, () =>
      heard(userDeleted, { userId: randomUUID(), rights: 2 }),
    );
    await handle(userDeleted, events, counted);
    expect(count()).toBe(6);
  }
});

test('events of odd times are stored', async () => {
  for (const at of ['1999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'])
    await handle(userRegistered, [heard(userRegistered, { userId: randomUUID() }, { at: new Date(at) })]);
  expect(await stored()).toHaveLength(2);
});

describe('events.custom', () => {
  test('carries events of any type, of strangers too', async () => {
    await handle(customEvent, [heard(customEvent, { weather: 'fine' }, { type: 'com.example.weather' })]);
    expect(await stored()).toMatchObject([{ type: 'com.example.weather', data: { weather: 'fine' } }]);
    expect(await counts()).toEqual({ 'com.example.weather': 1 });
  });

  test('is asked for no more than when it is published: what looks like a courier is data like other', async () => {
    const data = { userId: null, courierUserId: 'Rosa' };
    await handle(customEvent, [heard(customEvent, data, { type: 'note.added' })]);
    await handle(customEvent, [heard(customEvent, { courierUserId: randomUUID() }, { type: 'note.added' })]);
    const { rows } = await database.query(
      "select data ->> 'courierUserId' = 'Rosa' as told, courier_user_id from events order by n",
    );
    expect(rows).toEqual([
      { told: true, courier_user_id: null },
      { told: false, courier_user_id: null },
    ]);
  });

  test('carries nothing that would look like this house’s own', async () => {
    const false_ = heard(customEvent, { orderId: randomUUID() }, { type: 'order.created' });
    await expect(handle(customEvent, [false_])).rejects.toThrow('does not come by events.custom');
    expect(await stored()).toEqual([]);
  });
});

describe('when a user is deleted', () => {
  test('the data of their events go, and stay away from what comes later; others’ stay', async () => {
    const [userId, other] = [randomUUID(), randomUUID()];
    await handle(orderCancelled, [cancelled(userId), cancelled(other)]);
    await handle(userDeleted, [heard(userDeleted, { userId, rights: 2 })]);
    await handle(orderCancelled, [cancelled(userId), cancelled(other)]);
    const { rows } = await database.query<{ mine: boolean; erased: boolean; count: number }>(
      'select user_id = $1 as mine, data is null as erased, count(*) from events group by 1, 2 order by 1',
      [userId],
    );
    expect(rows).toEqual([
      { mine: false, erased: false, count: 2 },
      { mine: true, erased: true, count: 3 },
    ]);
  });

  test('where they were as couriers goes too, whatever comes later; what they brought stays others’', async () => {
    const [courierUserId, userId] = [randomUUID(), randomUUID()];
    const was = (account: string) =>
      heard(courierLocationUpdated, {
        ...{
          courierId: randomUUID(),
          courierUserId: account,
          orderId: null,
          userId: null,
          estimatedAt: null,
        },
        ...{ latitude: 1, longitude: 2, at: '2026-11-27T08:00:00Z' },
      });
    const brought = heard(deliveryStatusUpdated, {
      ...{ deliveryId: randomUUID(), orderId: randomUUID(), userId, courierUserId },
      ...{ sequence: 2, status: 'IN_TRANSIT' },
    });
    await handle(courierLocationUpdated, [was(courierUserId), was(randomUUID())]);
    await handle(deliveryStatusUpdated, [brought]);
    await handle(userDeleted, [heard(userDeleted, { userId: courierUserId, rights: 2 })]);
    await handle(courierLocationUpdated, [was(courierUserId)]);
    const { rows } = await database.query(
      'select courier_user_id = $1 as theirs, milestone, data is null as erased from events where type <> $2 order by n',
      [courierUserId, userDeleted.topic],
    );
    expect(rows).toEqual([
      { theirs: true, milestone: false, erased: true },
      { theirs: false, milestone: false, erased: false },
      { theirs: true, milestone: true, erased: false },
      { theirs: true, milestone: false, erased: true },
    ]);
  });

  test('so do those that are told of their orders, whatever comes first; others’ stay', async () => {
    const [userId, other, first, late, theirs] = Array.from({ length: 5 }, () => randomUUID());
    const created = (orderId = '', by = '') =>
      heard(orderCreated, {
        ...{ orderId, userId: by, totalCents: 1, currency: 'EUR', deliveryAddress: 'Long Lane 1' },
      });
    const noted = (orderId: string | undefined, more = {}) =>
      heard(customEvent, { orderId, note: 'Long Lane 1', ...more }, { type: 'note.added' });
    await handle(customEvent, [noted(first), noted(first, { userId: other }), noted(theirs)]);
    await handle(orderCreated, [created(first, userId), created(theirs, other)]);
    await handle(userDeleted, [heard(userDeleted, { userId: userId ?? '', rights: 2 })]);
    await handle(customEvent, [noted(first), noted(late), noted(theirs)]);
    await handle(orderCreated, [created(late, userId)]);
    await handle(customEvent, [noted(late)]);
    const { rows } = await database.query(
      'select order_id as "orderId", data is null as erased, count(*) from events where type = $1 group by 1, 2',
      ['note.added'],
    );
    expect(new Set(rows)).toEqual(
      new Set([
        { orderId: first, erased: true, count: 3 },
        { orderId: late, erased: true, count: 2 },
        { orderId: theirs, erased: false, count: 2 },
      ]),
    );
  });

  test('what is being stored meanwhile is waited for, and erased too', async () => {
    const userId = randomUUID();
    const [storing, told] = [gate(), gate()];
    // A batch that has been stored, and is not committed yet.
    const held: Database = {
      ...database,
      transaction: (work) =>
        database.transaction(async (tx) => {
          const result = await work(tx);
          storing.resolve();
          await told.promise;
          return result;
        }),
    };
    const batch = handle(orderCancelled, [cancelled(userId)], held);
    await storing.promise;
    const erasing = handle(userDeleted, [heard(userDeleted, { userId, rights: 2 })]);
    await expect
      .poll(async () => {
        const { rows } = await database.query(
          `select from pg_locks where locktype = 'advisory' and not granted
           and database = (select oid from pg_database where datname = current_database())`,
        );
        return rows.length;
      })
      .toBe(1);
    told.resolve();
    await Promise.all([batch, erasing]);
    expect((await stored()).map(({ data }) => data)).toEqual([null, null]);
  });
});

test('where a courier was is no milestone, and concerns its order', async () => {
  const [orderId, userId] = [randomUUID(), randomUUID()];
  const place = {
    courierId: randomUUID(),
    latitude: 1,
    longitude: 2,
    at: '2026-11-27T08:00:00Z',
    estimatedAt: null,
  };
  await handle(courierLocationUpdated, [heard(courierLocationUpdated, { ...place, orderId, userId })]);
  await handle(courierLocationUpdated, [
    heard(courierLocationUpdated, { ...place, orderId: null, userId: null }),
  ]);
  const { rows } = await database.query('select order_id, user_id, milestone from events order by n');
  expect(rows).toEqual([
    { order_id: orderId, user_id: userId, milestone: false },
    { order_id: null, user_id: null, milestone: false },
  ]);
});

test('an order that was created can be told from what its consumers cannot read', async () => {
  const broken = { orderId: randomUUID(), userId: randomUUID() } as never;
  const message = toMessage(
    'order',
    { ...orderCreated, schema: customEvent.schema as never },
    broken,
    new Date(),
  );
  await handle(orderCreated, [parsed(orderCreated, message)]);
  expect(await stored()).toMatchObject([{ type: 'order.created', data: broken }]);
});
