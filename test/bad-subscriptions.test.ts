import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Customer } from './support/client.js';
import { expectNoInsides } from './support/leaks.js';
import { quiet } from './support/refusals.js';
import { type System, startSystem } from './support/system.js';

let system: System;
let customer: Customer;

beforeAll(async () => {
  system = await startSystem({ DELIVERY_SIMULATION: 'off' });
  customer = await system.register();
});
afterAll(() => system?.stop());

describe('a subscription is refused', () => {
  const orderUpdated =
    'subscription ($id: ID!, $after: Cursor) { orderUpdated(orderId: $id, after: $after) { cursor } }';
  const deliveryChanged =
    'subscription ($id: ID!, $after: Cursor) { deliveryStatusChanged(orderId: $id, after: $after) { cursor } }';
  const myOrders = 'subscription ($after: Cursor) { myOrdersUpdated(after: $after) { cursor } }';
  const deliveries =
    'subscription ($filter: DeliveryFilter, $after: Cursor) { deliveriesChanged(filter: $filter, after: $after) { cursor } }';
  const paymentCompleted = 'subscription ($id: ID!) { paymentCompleted(orderId: $id) { id } }';
  const cursor = (text: string) => Buffer.from(text).toString('base64url');
  const cases: [string, string, (id: string) => object, { code: string; field?: string }][] = [
    ['that is cut off', 'subscription { orderUpdated', () => ({}), { code: 'GRAPHQL_PARSE_FAILED' }],
    [
      'of an unknown field',
      'subscription { passwordChanged }',
      () => ({}),
      { code: 'GRAPHQL_VALIDATION_FAILED' },
    ],
    [
      'of two fields',
      `subscription ($id: ID!) { a: orderUpdated(orderId: $id) { cursor } b: orderUpdated(orderId: $id) { cursor } }`,
      (id) => ({ id }),
      { code: 'GRAPHQL_VALIDATION_FAILED' },
    ],
    ['without its variable', orderUpdated, () => ({}), { code: 'BAD_USER_INPUT', field: 'id' }],
    ...[orderUpdated, deliveryChanged, paymentCompleted].flatMap((query): typeof cases => [
      ['of what is no id', query, () => ({ id: '1' }), { code: 'BAD_USER_INPUT', field: 'orderId' }],
      [
        'of an id with a NUL byte',
        query,
        (id) => ({ id: `${id}\0` }),
        { code: 'BAD_USER_INPUT', field: 'orderId' },
      ],
    ]),
    ['of an order that nobody has', orderUpdated, () => ({ id: randomUUID() }), { code: 'NOT_FOUND' }],
    ...[orderUpdated, deliveryChanged, myOrders].flatMap((query): typeof cases => [
      [
        'after an empty cursor',
        query,
        (id) => ({ id, after: '' }),
        { code: 'BAD_USER_INPUT', field: 'after' },
      ],
      ['after a number', query, (id) => ({ id, after: 1 }), { code: 'BAD_USER_INPUT', field: 'after' }],
      [
        'after half a character',
        query,
        (id) => ({ id, after: '\ud800' }),
        { code: 'BAD_USER_INPUT', field: 'after' },
      ],
      [
        'after a cursor of another order',
        query,
        (id) => ({ id, after: cursor(`order:${randomUUID()}|1`) }),
        { code: 'BAD_USER_INPUT', field: 'after' },
      ],
      [
        'after a cursor of a list',
        query,
        (id) => ({ id, after: cursor(`orders|${id}`) }),
        { code: 'BAD_USER_INPUT', field: 'after' },
      ],
    ]),
    [
      'after a cursor that the order has not reached',
      orderUpdated,
      (id) => ({ id, after: cursor(`order:${id}|99`) }),
      { code: 'BAD_USER_INPUT', field: 'after' },
    ],
    [
      'after a cursor of one order',
      myOrders,
      (id) => ({ after: cursor(`order:${id}|1`) }),
      { code: 'BAD_USER_INPUT', field: 'after' },
    ],
    [
      'after a cursor of all orders of somebody else',
      myOrders,
      () => ({ after: cursor(`feed:orders of ${randomUUID()}|1`) }),
      { code: 'BAD_USER_INPUT', field: 'after' },
    ],
    [
      'after a cursor that all orders have not reached',
      myOrders,
      () => ({ after: cursor(`feed:orders of ${customer.userId}|999999999`) }),
      { code: 'BAD_USER_INPUT', field: 'after' },
    ],
    [
      'after a cursor of its delivery',
      orderUpdated,
      (id) => ({ id, after: cursor(`delivery:${id}|1`) }),
      { code: 'BAD_USER_INPUT', field: 'after' },
    ],
    [
      'after a number of many digits',
      orderUpdated,
      (id) => ({ id, after: cursor(`order:${id}|${'9'.repeat(30)}`) }),
      { code: 'BAD_USER_INPUT', field: 'after' },
    ],
  ];
  test.each(cases)('%s: %s', async (_name, query, variables, expected) => {
    const orderId = await system.order(customer);
    const before = await quiet(system);
    const { errors } = await system.subscribe(query, variables(orderId), customer.token).ended;
    expect(errors[0]?.extensions, JSON.stringify(errors)).toMatchObject(expected);
    expectNoInsides(system, JSON.stringify(errors));
    expect(await quiet(system)).toEqual(before);
  });

  const badFeeds: [string, object, { code: string; field?: string }][] = [
    ['after an empty cursor', { after: '' }, { code: 'BAD_USER_INPUT', field: 'after' }],
    [
      'after half a place',
      { after: cursor('feed:deliveries|1') },
      { code: 'BAD_USER_INPUT', field: 'after' },
    ],
    [
      'after a place that no number names',
      { after: cursor(`feed:deliveries|${2n ** 64n}.1`) },
      { code: 'BAD_USER_INPUT', field: 'after' },
    ],
    [
      'after a row that no number names',
      { after: cursor(`feed:deliveries|1.${2n ** 63n}`) },
      { code: 'BAD_USER_INPUT', field: 'after' },
    ],
    [
      'after a cursor that nothing has reached',
      { after: cursor(`feed:deliveries|${2n ** 64n - 1n}.1`) },
      { code: 'BAD_USER_INPUT', field: 'after' },
    ],
    [
      'after a cursor of one delivery',
      { after: cursor(`delivery:${randomUUID()}|1`) },
      { code: 'BAD_USER_INPUT', field: 'after' },
    ],
    [
      'of a courier that has no id',
      { filter: { courierId: 'x' } },
      { code: 'BAD_USER_INPUT', field: 'filter.courierId' },
    ],
    ['of no status', { filter: { status: [] } }, { code: 'BAD_USER_INPUT', field: 'filter.status' }],
    [
      'of too many statuses',
      { filter: { status: Array.from({ length: 101 }, () => 'PENDING') } },
      { code: 'BAD_USER_INPUT', field: 'filter.status' },
    ],
    [
      'of a status that there is not',
      { filter: { status: ['LOST'] } },
      { code: 'BAD_USER_INPUT', field: 'status.0' },
    ],
  ];
  test.each(badFeeds)('of all deliveries, %s', async (_name, variables, expected) => {
    const { errors } = await system.subscribe(deliveries, variables, system.staffToken).ended;
    expect(errors[0]?.extensions, JSON.stringify(errors)).toMatchObject(expected);
    expectNoInsides(system, JSON.stringify(errors));
  });

  test('of all deliveries, by who is not staff', async () => {
    const asked = system.subscribe(deliveries, {}, customer.token);
    expect((await asked.ended).errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
    const courier = await system.sign({ id: customer.userId, role: 'COURIER' });
    const also = system.subscribe(deliveries, {}, courier);
    expect((await also.ended).errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
  });

  test.each([orderUpdated, deliveryChanged, paymentCompleted, myOrders, deliveries])(
    'without a token: %s',
    async (query) => {
      const { errors } = await system.subscribe(query, { id: await system.order(customer) }).ended;
      expect(errors[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED' });
    },
  );
});
