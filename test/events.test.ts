import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { metrics } from '../platform/metrics.js';
import { until } from '../platform/testing/until.js';
import type { Customer } from './support/client.js';
import { type System, startSystem } from './support/system.js';

let system: System;
let customer: Customer;
let stranger: Customer;
/** Of the customer; delivered. */
let orderId: string;

beforeAll(async () => {
  system = await startSystem();
  [customer, stranger] = await Promise.all([system.register(), system.register()]);
  await system.topUp(customer, '100.00');
  orderId = await system.order(customer);
  await system.reaches(orderId, 'COMPLETED');
  await until(
    'its end is stored',
    async () => (await timeline(customer.token))?.at(-1) === 'order.updated 6',
  );
});
afterAll(() => system?.stop());

interface Told {
  type: string;
  data: Record<string, unknown>;
}

/** The types of an order's events, with what number its changes have. */
async function timeline(token: string, id = orderId, first = 50): Promise<string[] | null | undefined> {
  const { order } = await system.ask<{ order: { timeline: Told[] | null } | null }>(
    'query ($id: ID!, $first: Int) { order(id: $id) { timeline(first: $first) { type data } } }',
    { id, first },
    token,
  );
  return order?.timeline?.map(({ type, data }) => [type, data['sequence']].filter(Boolean).join(' ')) ?? null;
}

const codes = async (query: string, variables: object, token?: string) =>
  (await system.graphql(query, variables, token)).errors.map(({ extensions }) => extensions.code);

describe('an order’s timeline', () => {
  test('tells what has happened to it, oldest first, and not where its courier was', async () => {
    const told = await timeline(customer.token);
    expect(told?.toSorted()).toEqual([
      ...[1, 2, 3, 4].map((n) => `delivery.status.updated ${n}`),
      'order.created',
      ...[1, 2, 3, 4, 5, 6].map((n) => `order.updated ${n}`),
      'payment.completed',
    ]);
    expect(told?.[0]).toBe('order.created');
    expect(await timeline(customer.token, orderId, 2)).toEqual(told?.slice(0, 2));
  });

  test('tells staff and the courier alone by which account it was brought', async () => {
    const [courier] = await system.sql<{ userId: string }>(
      'order',
      'select courier_user_id as "userId" from orders where id = $1',
      [orderId],
    );
    const accounts = async (token: string) => {
      const { order } = await system.ask<{ order: { timeline: Told[] } }>(
        'query ($id: ID!) { order(id: $id) { timeline { type data } } }',
        { id: orderId },
        token,
      );
      return new Set(order.timeline.flatMap(({ data }) => data['courierUserId'] ?? []));
    };
    expect(await accounts(customer.token)).toEqual(new Set());
    const own = await system.sign({ id: courier?.userId ?? '', role: 'COURIER' });
    for (const token of [system.staffToken, own])
      expect(await accounts(token)).toEqual(new Set([courier?.userId]));
  });

  test('tells its courier that it was paid, and not of the payment, which couriers are not told elsewhere', async () => {
    const [courier] = await system.sql<{ userId: string }>(
      'order',
      'select courier_user_id as "userId" from orders where id = $1',
      [orderId],
    );
    const own = await system.sign({ id: courier?.userId ?? '', role: 'COURIER' });
    const payment = async (token: string) => {
      const { order } = await system.ask<{ order: { payment: object | null; timeline: Told[] } }>(
        'query ($id: ID!) { order(id: $id) { payment { id } timeline { type data } } }',
        { id: orderId },
        token,
      );
      const told = order.timeline.find(({ type }) => type === 'payment.completed')?.data ?? {};
      return { payment: order.payment, told: Object.keys(told).toSorted() };
    };
    expect(await payment(own)).toEqual({ payment: null, told: ['orderId', 'userId'] });
    const all = ['amountCents', 'currency', 'orderId', 'paymentId', 'status', 'userId'];
    for (const token of [customer.token, system.staffToken])
      expect(await payment(token)).toEqual({ payment: { id: expect.any(String) }, told: all });
  });

  test('is for whose order it is, its courier, and staff', async () => {
    const [courier] = await system.sql<{ userId: string }>(
      'order',
      'select courier_user_id as "userId" from orders where id = $1',
      [orderId],
    );
    const tokens = [system.staffToken, await system.sign({ id: courier?.userId ?? '', role: 'COURIER' })];
    for (const token of tokens) expect(await timeline(token)).toHaveLength(12);
    const url = system.subgraphs.get('event')?.url ?? '';
    const told = async (token: string) => {
      const body = JSON.stringify({
        query:
          'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Order { timeline { type } } } }',
        variables: { r: [{ __typename: 'Order', id: orderId }] },
      });
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      return (await fetch(url, { method: 'POST', headers, body })).json();
    };
    const others = [stranger.token, await system.sign({ id: stranger.userId, role: 'COURIER' })];
    for (const token of others)
      expect(await told(token)).toEqual({ data: { _entities: [{ timeline: null }] } });
  });

  test.each([-1, 101])('has no first of %i', async (first) => {
    const query = 'query ($id: ID!, $first: Int) { order(id: $id) { timeline(first: $first) { id } } }';
    expect(await codes(query, { id: orderId, first }, customer.token)).toEqual(['BAD_USER_INPUT']);
  });
});

describe('an event as an entity', () => {
  test('is for whom it concerns, but not where couriers were, which is for staff', async () => {
    const where = randomUUID();
    await system.sql(
      'event',
      `insert into events (id, at, type, source, topic, user_id, order_id, data)
       values ($1, now(), 'courier.location.updated', 'test', 'courier.location.updated', $2, $3, '{}')`,
      [where, customer.userId, orderId],
    );
    const [created] = await system.sql<{ id: string }>(
      'event',
      `select id from events where order_id = $1 and type = 'order.created'`,
      [orderId],
    );
    const url = system.subgraphs.get('event')?.url ?? '';
    const told = async (token: string) => {
      const query = 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Event { type data } } }';
      const variables = { r: [where, created?.id].map((id) => ({ __typename: 'Event', id })) };
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body: JSON.stringify({ query, variables }),
      });
      const { data } = (await response.json()) as { data: { _entities: (Told | null)[] } };
      return data._entities.map((event) => event?.type ?? null);
    };
    expect(await told(customer.token)).toEqual([null, 'order.created']);
    expect(await told(stranger.token)).toEqual([null, null]);
    expect(await told(system.staffToken)).toEqual(['courier.location.updated', 'order.created']);
  });
});

describe('a user’s events', () => {
  const query = `query ($first: Int, $after: Cursor) { me { events(first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } nodes { id type at user { id } order { id } } } } }`;
  interface Page {
    me: {
      events: {
        totalCount: number;
        pageInfo: { hasNextPage: boolean; endCursor: string };
        nodes: { id: string; type: string; at: string; user: object; order: object | null }[];
      };
    };
  }

  test('are those that concern them, newest first, page by page', async () => {
    const all = (await system.ask<Page>(query, { first: 100 }, customer.token)).me.events;
    expect(all.nodes).toHaveLength(all.totalCount);
    expect(all.nodes.map(({ at }) => at)).toEqual(
      all.nodes
        .map(({ at }) => at)
        .toSorted()
        .toReversed(),
    );
    expect(new Set(all.nodes.map(({ user }) => JSON.stringify(user)))).toEqual(
      new Set([JSON.stringify({ id: customer.userId })]),
    );
    expect(all.nodes.at(-1)).toMatchObject({ type: 'user.registered', order: null });
    const pages: string[] = [];
    for (let after: string | undefined; ; ) {
      const { nodes, pageInfo } = (await system.ask<Page>(query, { first: 5, after }, customer.token)).me
        .events;
      pages.push(...nodes.map(({ id }) => id));
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
    }
    expect(pages).toEqual(all.nodes.map(({ id }) => id));
  });

  test('are nobody else’s, but staff’s', async () => {
    const of = 'query ($id: ID!) { user(id: $id) { events { nodes { id } } } }';
    expect(await codes(of, { id: customer.userId }, stranger.token)).toEqual(['NOT_FOUND']);
    expect(await codes(of, { id: customer.userId }, system.staffToken)).toEqual([]);
  });
});

describe('events', () => {
  const list = `query ($filter: EventFilter, $first: Int, $after: Cursor) {
    events(filter: $filter, first: $first, after: $after) { totalCount edges { cursor } nodes { id type cursor at } } }`;
  interface List {
    events: { totalCount: number; nodes: { id: string; type: string; cursor: string; at: string }[] };
  }
  const ask = (filter: object, first = 100) => system.ask<List>(list, { filter, first }, system.staffToken);

  test('are for staff', async () => {
    for (const query of ['{ events { totalCount } }', `{ event(id: "${randomUUID()}") { id } }`]) {
      expect(await codes(query, {}, customer.token)).toEqual(['FORBIDDEN']);
      expect(await codes(query, {})).toEqual(['UNAUTHENTICATED']);
    }
  });

  test('are listed by type, user, order and time', async () => {
    const { events: created } = await ask({ type: 'order.created', userId: customer.userId });
    expect(created).toMatchObject({ totalCount: 1, nodes: [{ type: 'order.created' }] });
    const at = created.nodes[0]?.at ?? '';
    const { events: ofOrder } = await ask({ orderId });
    const since = await ask({ orderId, since: at });
    expect(since.events.totalCount).toBe(ofOrder.totalCount);
    const until = await ask({ orderId, until: at });
    expect(until.events.totalCount).toBe(0);
    expect((await ask({ type: 'no.such.type' })).events).toMatchObject({ totalCount: 0, nodes: [] });
  });

  test('are found one by one', async () => {
    const [found] = (await ask({ orderId }, 1)).events.nodes;
    const query = 'query ($id: ID!) { event(id: $id) { id type cursor at } }';
    expect(await system.ask(query, { id: found?.id }, system.staffToken)).toEqual({ event: found });
    expect(await codes(query, { id: randomUUID() }, system.staffToken)).toEqual(['NOT_FOUND']);
    expect(await codes(query, { id: 'x' }, system.staffToken)).toEqual(['BAD_USER_INPUT']);
  });

  test.each([
    [{ userId: 'x' }, 'filter.userId'],
    [{ orderId: 'x' }, 'filter.orderId'],
    [{ since: 'yesterday' }, 'filter.since'],
    [{ until: '2026-02-30T00:00:00Z' }, 'filter.until'],
    [{ type: 'x'.repeat(201) }, 'filter.type'],
  ])('are not listed by %o', async (filter, field) => {
    const { errors } = await system.graphql(list, { filter }, system.staffToken);
    expect(errors[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT', field });
  });
});

describe('statements', () => {
  async function reads(query: string, variables: object, token: string): Promise<number> {
    const count = async () =>
      (await metrics.postgresReads.get()).values.find(({ labels }) => labels.service === 'event')?.value ?? 0;
    const before = await count();
    await system.ask(query, variables, token);
    return (await count()) - before;
  }

  test('are one for all timelines, and for all lists of users’ events; one more where they are counted', async () => {
    for (let more = 0; more < 3; more += 1) await system.order(stranger);
    const timelines = '{ orders(first: 50) { nodes { timeline { id type data user { id } } } } }';
    expect(await reads(timelines, {}, customer.token)).toBe(1);
    expect(await reads(timelines, {}, system.staffToken)).toBe(1);
    const lists =
      'query ($orders: Int) { orders(first: $orders) { nodes { user { events { nodes { id order { id } } } } } } }';
    expect(await reads(lists, { orders: 1 }, system.staffToken)).toBe(1);
    const counted = lists.replace('nodes { id', 'totalCount nodes { id');
    expect(await reads(counted, { orders: 50 }, system.staffToken)).toBe(2);
    expect(await reads('{ events { nodes { id data } } }', {}, system.staffToken)).toBe(1);
    expect(await reads('{ events { totalCount nodes { id } } }', {}, system.staffToken)).toBe(2);
  });
});
