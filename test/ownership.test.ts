import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Customer } from './support/client.js';
import { type System, startSystem } from './support/system.js';

let system: System;
let owner: Customer;
let stranger: Customer;
let strangerCourier: string;
const ids = { order: '', payment: '', delivery: '', account: '', user: '' };

beforeAll(async () => {
  system = await startSystem();
  [owner, stranger] = await Promise.all([system.register(), system.register()]);
  await system.topUp(owner, '10.00');
  const order = await system.order(owner, { deliveryAddress: 'Secret Lane 1' });
  await system.reaches(order, 'COMPLETED');
  const seen = await system.ask<{
    order: { payment: { id: string }; delivery: { id: string } };
    myAccount: { id: string };
  }>(
    'query ($id: ID!) { order(id: $id) { payment { id } delivery { id } } myAccount { id } }',
    { id: order },
    owner.token,
  );
  Object.assign(ids, {
    order,
    payment: seen.order.payment.id,
    delivery: seen.order.delivery.id,
    account: seen.myAccount.id,
    user: owner.userId,
  });
  strangerCourier = await system.sign({ id: stranger.userId, role: 'COURIER' });
});
afterAll(() => system?.stop());

/** What belongs to the owner alone, wherever it might turn up. */
const secrets = () => [
  'Secret Lane',
  ids.payment,
  ids.delivery,
  ids.account,
  owner.email,
  '"COMPLETED"',
  '"DELIVERED"',
  '"2.00"',
  '"8.00"',
];
const expectNothing = (text: string) => {
  for (const secret of secrets()) expect(text).not.toContain(secret);
};

const order = `id status total { amount } deliveryAddress items { quantity price { amount } } user { id email }
  payment { id status amount { amount } } delivery { id status address history { status } }`;
const byId: [string, string, () => object][] = [
  ['order', `query ($id: ID!) { order(id: $id) { ${order} } }`, () => ({ id: ids.order })],
  [
    'payment',
    `query ($id: ID!) { payment(id: $id) { id status amount { amount } order { ${order} } } }`,
    () => ({ id: ids.payment }),
  ],
  [
    'delivery',
    `query ($id: ID!) { delivery(id: $id) { id status address history { status at by } courier { name } order { ${order} } } }`,
    () => ({ id: ids.delivery }),
  ],
];

describe('somebody else’s', () => {
  test.each(byId)('%s by id reads as NOT_FOUND', async (field, query, variables) => {
    for (const token of [stranger.token, strangerCourier]) {
      const { data, errors, text } = await system.graphql(query, variables(), token);
      expect(data).toEqual({ [field]: null });
      expect(errors.map(({ extensions }) => extensions.code)).toEqual(['NOT_FOUND']);
      for (const secret of secrets()) expect(text).not.toContain(secret);
    }
  });

  test('orders are not in a list of all', async () => {
    expect(
      await system.ask(`{ orders(first: 100) { totalCount nodes { ${order} } } }`, {}, stranger.token),
    ).toEqual({
      orders: { totalCount: 0, nodes: [] },
    });
  });

  test('deliveries are not in a list of all, however it is filtered', async () => {
    const query = `query ($filter: DeliveryFilter) {
      deliveries(first: 100, filter: $filter) { totalCount nodes { id status address order { id } } } }`;
    const { deliveries } = await system.ask<{ deliveries: { nodes: { id: string }[] } }>(
      query,
      {},
      owner.token,
    );
    expect(deliveries.nodes.map(({ id }) => id)).toContain(ids.delivery);
    const [had] = await system.sql<{ id: string }>(
      'delivery',
      'select courier_id as id from deliveries where id = $1',
      [ids.delivery],
    );
    const filters = [null, { status: ['DELIVERED'] }, { courierId: had?.id }, { overdue: false }];
    for (const token of [stranger.token, strangerCourier])
      for (const filter of filters)
        expect(await system.ask(query, { filter }, token)).toEqual({
          deliveries: { totalCount: 0, nodes: [] },
        });
  });

  test('orders are not in a list that is filtered for them', async () => {
    const query = `query ($filter: OrderFilter) { orders(filter: $filter) { totalCount nodes { ${order} } } }`;
    const asked = await system.graphql(query, { filter: { userId: owner.userId } }, stranger.token);
    expect(asked).toMatchObject({ data: { orders: null }, errors: [{ extensions: { code: 'NOT_FOUND' } }] });
    for (const filter of [{ status: 'COMPLETED' }, { since: '2000-01-01T00:00:00Z' }, {}]) {
      expect(await system.ask(query, { filter }, stranger.token)).toEqual({
        orders: { totalCount: 0, nodes: [] },
      });
    }
  });

  test('orders, account and address are not under the user', async () => {
    const query = `query ($id: ID!) { user(id: $id) { id firstName email
      orders { totalCount nodes { ${order} } } account { id balance { amount } entries { nodes { id amount { amount } } } } } }`;
    const { data, text } = await system.graphql(query, { id: owner.userId }, stranger.token);
    expect(data).toEqual({
      user: { id: owner.userId, firstName: 'Rosa', email: null, orders: null, account: null },
    });
    expectNothing(text);
  });

  test.each([
    'subscription ($id: ID!, $after: Cursor) { orderUpdated(orderId: $id, after: $after) { cursor status order { deliveryAddress } } }',
    'subscription ($id: ID!, $after: Cursor) { deliveryStatusChanged(orderId: $id, after: $after) { cursor status delivery { address } } }',
    'subscription ($id: ID!) { paymentCompleted(orderId: $id) { id amount { amount } } }',
  ])('changes are not to be watched: %s', async (query) => {
    const mine = system.subscribe<Record<string, { cursor: string }>>(
      query.replace('($id: ID!, $after: Cursor)', '($id: ID!)').replace(', after: $after', ''),
      { id: ids.order },
      owner.token,
    );
    expect((await mine.ended).complete).toBe(true);
    const cursor = Object.values(mine.messages[0]?.data ?? {})[0]?.cursor;
    for (const variables of [{ id: ids.order }, { id: ids.order, ...(cursor && { after: cursor }) }]) {
      const live = system.subscribe(query, variables, stranger.token);
      const end = await live.ended;
      expect(live.messages).toEqual([]);
      expect(end.errors.map(({ extensions }) => extensions.code)).toEqual(['NOT_FOUND']);
    }
  });

  test('orders are not in a stranger’s feed, whose cursors are no one else’s', async () => {
    const query = `subscription ($after: Cursor) { myOrdersUpdated(after: $after) { cursor status order { ${order} } } }`;
    const mine = system.subscribe<{ myOrdersUpdated: { cursor: string } }>(query, {}, owner.token);
    const placed = await system.order(owner);
    const seen = await mine.waitFor((messages) => JSON.stringify(messages).includes(placed));
    mine.close();
    const cursor = seen[0]?.data?.myOrdersUpdated.cursor;
    for (const token of [stranger.token, strangerCourier, system.staffToken]) {
      const live = system.subscribe(query, { after: cursor }, token);
      expect((await live.ended).errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
      expect(live.messages).toEqual([]);
    }
    const theirs = system.subscribe(query, {}, stranger.token);
    const own = await system.order(stranger);
    await theirs.waitFor((messages) => JSON.stringify(messages).includes(own));
    theirs.close();
    expectNothing(JSON.stringify(theirs.messages).replaceAll(/"(COMPLETED|DELIVERED|[28]\.00)"/g, ''));
    expect(JSON.stringify(theirs.messages)).not.toContain(placed);
  });

  test('account can not be topped up', async () => {
    const input = { amount: '1.00', idempotencyKey: 'a', userId: owner.userId };
    const { errors } = await system.graphql(
      'mutation ($input: TopUpInput!) { topUp(input: $input) { id balance { amount } } }',
      { input },
      stranger.token,
    );
    expect(errors[0]?.extensions.code).toBe('FORBIDDEN');
  });

  test('idempotency key gives no answer of theirs', async () => {
    const idempotencyKey = 'a key that both use';
    const theirs = await system.order(owner, { idempotencyKey });
    expect(await system.order(stranger, { idempotencyKey })).not.toBe(theirs);
  });
});

/** Asks one subgraph itself, past the gateway. */
async function direct(
  service: string,
  query: string,
  variables: object,
  token?: string,
): Promise<Answer<unknown>> {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const url = system.subgraphs.get(service)?.url ?? '';
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const text = await response.text();
  const { data, errors = [] } = JSON.parse(text) as { data?: unknown; errors?: [] };
  return { status: response.status, text, data, errors };
}

describe('a subgraph that is asked for entities directly', () => {
  const entities: [string, string, () => string, string][] = [
    ['user', 'User', () => ids.user, 'id email'],
    [
      'order',
      'Order',
      () => ids.order,
      'id status deliveryAddress deliveryStatus total { amount } items { price { amount } }',
    ],
    ['order', 'User', () => ids.user, 'id orders { totalCount nodes { id deliveryAddress status } }'],
    ['payment', 'Payment', () => ids.payment, 'id status amount { amount }'],
    [
      'payment',
      'Account',
      () => ids.account,
      'id balance { amount } entries { totalCount nodes { id amount { amount } } }',
    ],
    ['payment', 'Order', () => ids.order, 'payment { id status amount { amount } }'],
    ['payment', 'User', () => ids.user, 'account { id balance { amount } }'],
    ['delivery', 'Delivery', () => ids.delivery, 'id status address history { status }'],
    [
      'delivery',
      'Order',
      () => ids.order,
      'delivery { id status address courier { name } history { status } }',
    ],
  ];
  const ask = (type: string, selection: string) =>
    `query ($r: [_Any!]!) { _entities(representations: $r) { ... on ${type} { ${selection} } } }`;

  test.each(entities)('gives nothing of %s’s %s without a token', async (service, type, id, selection) => {
    const { errors, text } = await direct(service, ask(type, selection), {
      r: [{ __typename: type, id: id() }],
    });
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED']);
    expectNothing(text.replaceAll(`"${id()}"`, ''));
  });

  test.each(entities)(
    'gives nothing of %s’s %s to another customer, or for a made-up role',
    async (service, type, id, selection) => {
      for (const token of [stranger.token, strangerCourier]) {
        const { text } = await direct(
          service,
          ask(type, selection),
          { r: [{ __typename: type, id: id() }] },
          token,
        );
        expectNothing(text);
      }
    },
  );

  test.each(entities)('gives %s’s %s to its owner and to staff', async (service, type, id, selection) => {
    for (const token of [owner.token, system.staffToken]) {
      const { data, errors } = await direct(
        service,
        ask(type, selection),
        { r: [{ __typename: type, id: id() }] },
        token,
      );
      expect(errors).toEqual([]);
      expect(
        secrets()
          .concat(ids.order)
          .some((secret) => JSON.stringify(data).includes(secret)),
      ).toBe(true);
    }
  });

  test.each(['user', 'order', 'payment', 'delivery', 'event'])(
    'refuses at %s a token that it can not verify',
    async (service) => {
      const { status, errors } = await direct(service, '{ __typename }', {}, `${owner.token}x`);
      expect([status, errors.map(({ extensions }) => extensions.code)]).toEqual([401, ['UNAUTHENTICATED']]);
    },
  );

  test.each(['order', 'payment', 'delivery', 'event'])(
    'takes no identity from a plain header at %s',
    async (service) => {
      const url = system.subgraphs.get(service)?.url ?? '';
      const headers = {
        'content-type': 'application/json',
        'x-user-id': owner.userId,
        'x-user-role': 'ADMIN',
      };
      const body = JSON.stringify({
        query: ask('Order', '__typename id user { id }'),
        variables: { r: [{ __typename: 'Order', id: ids.order }] },
      });
      expectNothing(await (await fetch(url, { method: 'POST', headers, body })).text());
    },
  );
});

describe('staff', () => {
  test.each(byId)('sees any %s by id', async (field, query, variables) => {
    const data = await system.ask<Record<string, { id: string }>>(query, variables(), system.staffToken);
    expect(data[field]?.id).toBe(ids[field as keyof typeof ids]);
  });

  test('sees everybody’s orders, accounts and addresses', async () => {
    const query =
      'query ($id: ID!) { user(id: $id) { email orders { nodes { id } } account { id } } orders(filter: { userId: $id }) { nodes { id deliveryAddress } } }';
    const data = await system.ask<{ user: { orders: { nodes: object[] } } }>(
      query,
      { id: owner.userId },
      system.staffToken,
    );
    expect(data).toMatchObject({ user: { email: owner.email, account: { id: ids.account } } });
    expect(data.user.orders.nodes).toContainEqual({ id: ids.order });
  });

  test('watches anybody’s order', async () => {
    const live = system.subscribe(
      'subscription ($id: ID!) { orderUpdated(orderId: $id) { status } }',
      { id: ids.order },
      system.staffToken,
    );
    expect((await live.ended).complete).toBe(true);
    expect(live.messages).toEqual([{ data: { orderUpdated: { status: 'COMPLETED' } } }]);
  });
});
