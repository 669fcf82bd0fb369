import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { userDeleted } from '../events/user.js';
import { toMessage } from '../platform/bus/event.js';
import { until } from '../platform/testing/until.js';
import type { Customer } from './support/client.js';
import { type System, startSystem } from './support/system.js';

let system: System;
let customer: Customer;
let admin: string;
beforeAll(async () => {
  system = await startSystem({ DELIVERY_SIMULATION: 'off' });
  customer = await system.register();
  admin = await system.sign({ id: randomUUID(), role: 'ADMIN' });
});
afterAll(() => system?.stop());

interface Event {
  id: string;
  cursor: string;
  type: string;
  source: string;
  subject: string | null;
  user: { id: string } | null;
  order: { id: string } | null;
  data: Record<string, unknown>;
  at: string;
}
const fields = 'id cursor type source subject user { id } order { id } data at';
const publishOne = `mutation ($input: PublishEventInput!) { publishEvent(input: $input) { ${fields} } }`;
const publishMany = `mutation ($inputs: [PublishEventInput!]!) { publishEvents(inputs: $inputs) { ${fields} } }`;
const watch = `subscription ($filter: EventFilter, $after: Cursor) { eventPublished(filter: $filter, after: $after) { ${fields} } }`;

const note = (more: object = {}) => ({
  kind: 'USER',
  type: 'user.note.added',
  userId: customer.userId,
  data: {},
  ...more,
});
const publish = async (...inputs: object[]): Promise<Event[]> =>
  (await system.ask<{ publishEvents: Event[] }>(publishMany, { inputs }, system.staffToken)).publishEvents;
const stored = async (id: string): Promise<Event> =>
  (
    await system.ask<{ event: Event }>(
      `query ($id: ID!) { event(id: $id) { ${fields} } }`,
      { id },
      system.staffToken,
    )
  ).event;
const refusals = async (query: string, variables: object, token?: string) =>
  (await system.graphql(query, variables, token)).errors.map(({ extensions: { code, field } }) =>
    [code, field].join(' ').trim(),
  );

/** A type of its own, so that tests see their events alone. */
const ownType = () => `test.t${randomUUID().slice(0, 8)}`;

describe('publishEvent', () => {
  test('answers with the event as it is stored, its cursor too', async () => {
    const orderId = randomUUID();
    const data = { amountCents: 250, currency: 'EUR', more: [1, null, 'zero \u0000'] };
    const input = { kind: 'PAYMENT', type: 'payment.disputed', orderId, data };
    const { publishEvent } = await system.ask<{ publishEvent: Event }>(
      publishOne,
      { input },
      system.staffToken,
    );
    expect(publishEvent).toMatchObject({
      ...{ type: 'payment.disputed', source: '/doorstep/event', subject: `order/${orderId}` },
      ...{ user: null, order: { id: orderId }, data: { ...data, orderId } },
    });
    expect(await stored(publishEvent.id)).toEqual(publishEvent);
  });

  test('is seen by whom it concerns', async () => {
    const [event] = await publish(note({ data: { text: 'likes espresso' } }));
    const query = '{ me { events(first: 1) { nodes { id data } } } }';
    expect(await system.ask(query, {}, customer.token)).toEqual({
      me: {
        events: { nodes: [{ id: event?.id, data: { text: 'likes espresso', userId: customer.userId } }] },
      },
    });
  });

  test('about an order and another user shows that user nothing else of the order', async () => {
    const [orderId, stranger] = [await system.order(customer), await system.register()];
    await until('it is stored', async () => {
      const first = `select from events where order_id = $1 and type = 'order.created'`;
      return (await system.sql('event', first, [orderId])).length > 0;
    });
    const [event] = await publish(note({ type: 'order.note.added', userId: stranger.userId, orderId }));
    const query = '{ me { events(first: 1) { nodes { id order { timeline { type } } } } } }';
    expect(await system.ask(query, {}, stranger.token)).toEqual({
      me: { events: { nodes: [{ id: event?.id, order: { timeline: null } }] } },
    });
    const { order } = await system.ask<{ order: { timeline: object[] } }>(
      'query ($id: ID!) { order(id: $id) { timeline { type } } }',
      { id: orderId },
      customer.token,
    );
    expect(order.timeline).toContainEqual({ type: 'order.note.added' });
  });

  test('is for staff', async () => {
    expect(await refusals(publishOne, { input: note() }, customer.token)).toEqual(['FORBIDDEN']);
    expect(await refusals(publishOne, { input: note() })).toEqual(['UNAUTHENTICATED']);
    expect(await refusals(publishMany, { inputs: [note()] }, customer.token)).toEqual(['FORBIDDEN']);
  });

  const orderId = randomUUID();
  test.each<[object, string]>([
    [{ type: 'order.created' }, 'type'],
    [{ type: 'Note' }, 'type'],
    [{ userId: 'x' }, 'userId'],
    [{ orderId: 'x' }, 'orderId'],
    [{ data: [] }, 'data'],
    [{ data: 'text' }, 'data'],
    [{ data: { userId: orderId } }, 'userId'],
    [{ data: { orderId: 'x' } }, 'data.orderId'],
    [{ userId: null }, 'userId'],
    [{ kind: 'ORDER' }, 'orderId'],
    [{ kind: 'PAYMENT', orderId }, 'data.amountCents'],
    [{ kind: 'PAYMENT', orderId, data: { amountCents: 1.5, currency: 'EUR' } }, 'data.amountCents'],
    [{ kind: 'PAYMENT', orderId, data: { amountCents: 1, currency: 'USD' } }, 'data.currency'],
    [{ data: { text: 'x'.repeat(64 * 1024) } }, 'data'],
  ])('refuses %o', async (more, field) => {
    const input = note(more);
    expect(await refusals(publishOne, { input }, system.staffToken)).toEqual([`BAD_USER_INPUT ${field}`]);
    expect(await refusals(publishMany, { inputs: [note(), input] }, system.staffToken)).toEqual([
      `BAD_USER_INPUT inputs.1.${field}`,
    ]);
  });
});

describe('publishEvents', () => {
  test('publishes a hundred at once, in order, each with an id of its own', async () => {
    const type = ownType();
    const inputs = Array.from({ length: 100 }, (_, n) => note({ type, data: { n } }));
    const events = await publish(...inputs);
    expect(events.map(({ data }) => data['n'])).toEqual(inputs.map((_, n) => n));
    expect(new Set(events.map(({ id }) => id)).size).toBe(100);
    expect(events.map(({ id }) => id)).toEqual(events.map(({ id }) => id).toSorted());
  });

  test('publishes nothing where one of them is refused', async () => {
    const type = ownType();
    await refusals(publishMany, { inputs: [note({ type }), note({ type, data: 1 })] }, system.staffToken);
    // Were it on its way, it would have come before this.
    await publish(note());
    expect(await system.sql('event', 'select from events where type = $1', [type])).toEqual([]);
  });

  test.each([0, 101])('does not take %i', async (length) => {
    const inputs = Array.from({ length }, () => note());
    expect(await refusals(publishMany, { inputs }, system.staffToken)).toEqual(['BAD_USER_INPUT inputs']);
  });

  test('does not take more than fits one batch', async () => {
    const inputs = Array.from({ length: 7 }, () => note({ data: { text: 'x'.repeat(60 * 1024) } }));
    expect(await refusals(publishMany, { inputs }, system.staffToken)).toEqual(['BAD_USER_INPUT inputs']);
  });
});

describe('eventPublished', () => {
  const told = (live: { messages: { data?: { eventPublished: Event } | null }[] }) =>
    live.messages.flatMap(({ data }) => (data ? [data.eventPublished] : []));

  test('brings staff what matches from then on, and after a cursor all since, nothing twice', async () => {
    const type = ownType();
    const watchers = await system.watching();
    const live = system.subscribe<{ eventPublished: Event }>(watch, { filter: { type } }, system.staffToken);
    await until('it watches', async () => (await system.watching()) > watchers);
    for (let n = 0; n < 5; n += 1) await publish(note({ type, data: { n } }), note());
    await live.waitFor(({ length }) => length >= 5);
    expect(told(live).map(({ data }) => data['n'])).toEqual([0, 1, 2, 3, 4]);
    for (const [index, event] of told(live).entries()) {
      expect(await stored(event.id)).toEqual(event);
      const again = system.subscribe<{ eventPublished: Event }>(
        watch,
        { filter: { type }, after: event.cursor },
        system.staffToken,
      );
      const rest = told(live).slice(index + 1);
      await again.waitFor(({ length }) => length >= rest.length);
      expect(told(again)).toEqual(rest);
      again.close();
    }
    live.close();
  });

  test('goes on from the cursor that a mutation told', async () => {
    const type = ownType();
    const [first] = await publish(note({ type, data: { n: 1 } }));
    const live = system.subscribe<{ eventPublished: Event }>(
      watch,
      { filter: { type }, after: first?.cursor },
      system.staffToken,
    );
    const [second] = await publish(note({ type, data: { n: 2 } }));
    await live.waitFor(({ length }) => length >= 1);
    expect(told(live)).toEqual([second]);
    live.close();
  });

  test('is for staff, and knows its own cursors', async () => {
    const end = async (variables: object, token: string) =>
      (await system.subscribe(watch, variables, token).ended).errors.map(({ extensions }) => extensions.code);
    expect(await end({}, customer.token)).toEqual(['FORBIDDEN']);
    expect(await end({ after: 'nonsense' }, system.staffToken)).toEqual(['BAD_USER_INPUT']);
    expect(await end({ filter: { orderId: 'x' } }, system.staffToken)).toEqual(['BAD_USER_INPUT']);
  });
});

test('a deleted user’s events keep nothing of what they said, and neither do those that come later', async () => {
  const { userId } = await system.register();
  const [before] = await publish(note({ userId, data: { secret: 'likes tea' } }));
  const { id, topic, key, value, headers } = toMessage(
    'user',
    userDeleted,
    { rights: 2, userId },
    new Date(),
  );
  await system.sql(
    'user',
    'insert into outbox (event_id, topic, key, value, headers) values ($1, $2, $3, $4, $5)',
    [...[id, topic, key, value, headers]],
  );
  await until(
    'it is stored',
    async () => (await system.sql('event', 'select from events where id = $1', [id])).length > 0,
  );
  const [after] = await publish(note({ userId, data: { secret: 'likes tea' } }));
  for (const event of [before, after])
    expect(await stored(event?.id ?? '')).toEqual({ ...event, data: { erased: true } });
  expect(
    JSON.stringify(await system.sql('event', 'select * from events where user_id = $1', [userId])),
  ).not.toContain('tea');
});

describe('what the bus is asked', () => {
  const stats = `{ eventStats { total failed perType { type count } consumerLag { group topic partition lag } deadLetters } }`;
  interface Stats {
    total: number;
    failed: number;
    perType: { type: string; count: number }[];
    consumerLag: { group: string; topic: string; partition: number; lag: number }[];
    deadLetters: number;
  }
  const ask = async () => (await system.ask<{ eventStats: Stats }>(stats, {}, system.staffToken)).eventStats;
  const letters = `query ($topic: String, $first: Int, $after: Cursor) { deadLetters(topic: $topic, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } nodes { id group topic reason at value } } }`;
  interface Letters {
    deadLetters: {
      totalCount: number;
      pageInfo: { endCursor: string };
      nodes: { id: string; topic: string; value: string | null }[];
    };
  }
  const replay = 'mutation ($topic: String, $first: Int) { replayDeadLetters(topic: $topic, first: $first) }';

  test('eventStats counts what was stored', async () => {
    const type = ownType();
    const before = await ask();
    await publish(note({ type }), note({ type }));
    const after = await ask();
    expect(after.total).toBeGreaterThanOrEqual(before.total + 2);
    expect(after.perType).toContainEqual({ type, count: 2 });
    expect(after.total).toBe(after.perType.reduce((sum, { count }) => sum + count, 0));
    expect(after.failed).toBe(0);
    const lagging = after.consumerLag.map(({ group, topic, partition }) => `${group} ${topic} ${partition}`);
    expect(lagging).toContain('payment order.created 0');
    expect(lagging).toContain('event courier.location.updated 0');
  });

  test('dead letters are counted, listed page by page, and replayed', async () => {
    const key = randomUUID();
    for (let n = 0; n < 3; n += 1) {
      await system.sql(
        'user',
        `insert into outbox (event_id, topic, key, value, headers) values ($1, 'payment.refunded', $2, $3, '{}')`,
        [randomUUID(), key, `{"broken": ${n}`],
      );
      // One by one, so that each has a time of its own.
      await until('it is put aside', async () => (await ask()).deadLetters === n + 1);
    }
    const list = async (token: string, more: object = {}) =>
      (await system.ask<Letters>(letters, { topic: 'payment.refunded', ...more }, token)).deadLetters;
    const all = await list(admin);
    expect(all).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: false } });
    expect(all.nodes).toMatchObject(
      [0, 1, 2].map((n) => ({ group: 'event', topic: 'payment.refunded', value: `{"broken": ${n}` })),
    );
    const seen = await system.graphql<Letters>(letters, { topic: 'payment.refunded' }, system.staffToken);
    expect(seen.data?.deadLetters.nodes.map(({ value }) => value)).toEqual([null, null, null]);
    expect(seen.errors.map(({ extensions }) => extensions.code)).toEqual(Array(3).fill('FORBIDDEN'));
    expect((await list(admin, { topic: 'order.created' })).nodes).toEqual([]);
    const first = await list(admin, { first: 1 });
    expect(await refusals(replay, {}, system.staffToken)).toEqual(['FORBIDDEN']);
    expect(await refusals(replay, { first: 1_001 }, admin)).toEqual(['BAD_USER_INPUT first']);
    expect(await system.ask(replay, { topic: 'order.created' }, admin)).toEqual({ replayDeadLetters: 0 });
    // They are as broken as before, and come back with another time.
    expect(await system.ask(replay, { topic: 'payment.refunded', first: 1 }, admin)).toEqual({
      replayDeadLetters: 1,
    });
    await until('it is put aside again', async () => (await ask()).deadLetters === 3);
    const rest = await list(admin, { after: first.pageInfo.endCursor });
    expect(rest.nodes.map(({ value }) => value)).toEqual(['{"broken": 1', '{"broken": 2', '{"broken": 0']);
  });

  test('is for staff', async () => {
    for (const query of [stats, letters]) {
      expect(await refusals(query, {}, customer.token)).toEqual(['FORBIDDEN']);
      expect(await refusals(query, {})).toEqual(['UNAUTHENTICATED']);
    }
  });
});

test('where the bus is away nothing is answered as published, and that is counted', async () => {
  const type = ownType();
  await system.sql('bus', 'alter table delivery rename to away');
  try {
    const { data, errors } = await system.graphql(
      publishMany,
      { inputs: [note({ type }), note({ type })] },
      system.staffToken,
    );
    expect(data ?? null).toBeNull();
    expect(errors).toMatchObject([
      { extensions: { code: 'SERVICE_UNAVAILABLE', eventIds: [expect.any(String), expect.any(String)] } },
    ]);
    expect(await refusals('{ eventStats { consumerLag { lag } } }', {}, system.staffToken)).toEqual([
      'SERVICE_UNAVAILABLE',
    ]);
    const { eventStats } = await system.ask<{ eventStats: object }>(
      '{ eventStats { failed } }',
      {},
      system.staffToken,
    );
    expect(eventStats).toEqual({ failed: 2 });
  } finally {
    await system.sql('bus', 'alter table away rename to delivery');
  }
});
