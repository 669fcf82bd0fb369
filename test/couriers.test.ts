import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../platform/testing/until.js';
import type { Customer } from './support/client.js';
import {
  codeOf,
  type Dispatch,
  dispatchOf,
  seenToTheDoor,
  type TestCourier,
  wayToTheDoor,
} from './support/dispatch.js';
import { realBus } from './support/real-bus.js';
import { type System, startSystem } from './support/system.js';
import {
  expectAccount,
  expectFeed,
  expectSeen,
  type Feed,
  placeAll,
  placeWatched,
  rich,
  type SeenChange,
  type Watched,
  watchAll,
} from './support/watched.js';

/** Nobody is assigned, and nothing moves, but by what a test does. */
let system: System;
let dispatch: Dispatch;
let feed: Feed;
let customer: Customer;
let courier: TestCourier;
let other: TestCourier;
const bus = realBus();
beforeAll(async () => {
  system = await startSystem({ ...bus.env(), DELIVERY_SIMULATION: 'off', COURIER_ASSIGNMENT: 'manual' });
  dispatch = dispatchOf(system);
  feed = watchAll(system);
  customer = await rich(system);
  [courier, other] = await Promise.all([dispatch.hire('Rosa'), dispatch.hire('Emil')]);
  expect(await Promise.all([statusOf(courier), statusOf(other)])).toEqual(['AVAILABLE', 'AVAILABLE']);
});
afterAll(async () => {
  feed?.close();
  await system?.stop();
});

const ask = (fields: string, variables: object, token: string) => system.graphql(fields, variables, token);
const statusOf = async ({ id }: TestCourier) => (await dispatch.couriers()).get(id);

test('a delivery goes from a dispatcher to a courier to the door, and its customer watches', async () => {
  const order = await placeWatched(system);
  const second = await placeWatched(system);
  // To one, off that one, and to another.
  expect((await dispatch.assign(order.id, other.id)).data).toMatchObject({
    assignCourier: { courier: { name: 'Emil', status: 'BUSY' } },
  });
  expect((await dispatch.unassign(order.id)).data).toMatchObject({ unassignCourier: { courier: null } });
  expect(await statusOf(other)).toBe('AVAILABLE');
  expect((await dispatch.assign(order.id, courier.id)).data).toEqual({
    assignCourier: {
      ...{ status: 'PENDING' },
      courier: { id: courier.id, name: 'Rosa', phone: '+4930123456', status: 'BUSY' },
    },
  });
  expect(codeOf(await dispatch.assign(second.id, courier.id))).toBe('CONFLICT');

  await ask('mutation { reportLocation(latitude: 52.5, longitude: 13.4) { id } }', {}, courier.token);
  const { data, errors } = await ask(
    `query ($id: ID!) { order(id: $id) { delivery {
      courier { name phone user { id } location { latitude longitude } deliveries { totalCount } } } } }`,
    { id: order.id },
    order.customer.token,
  );
  expect(errors).toEqual([]);
  expect(data).toEqual({
    order: {
      delivery: {
        courier: {
          ...{ name: 'Rosa', phone: null, user: null, deliveries: null },
          location: { latitude: 52.5, longitude: 13.4 },
        },
      },
    },
  });
  const own = await ask('{ deliveries { nodes { order { id } address } } }', {}, courier.token);
  expect(own.data).toEqual({
    deliveries: { nodes: [{ order: { id: order.id }, address: 'Long Lane 1' }] },
  });

  // Who goes off duty brings what is begun to its end, and is given nothing more.
  await ask('mutation { setCourierStatus(status: OFFLINE) { id } }', {}, courier.token);
  expect(await statusOf(courier)).toBe('BUSY');
  for (const status of wayToTheDoor)
    expect((await dispatch.move(order.id, status, courier.token)).data).toMatchObject({
      updateDeliveryStatus: { status },
    });
  const changes: SeenChange[] = [['PENDING', 'system', null], ...seenToTheDoor];
  await expectSeen(order, { orders: ['PENDING', 'PAID', 'COMPLETED'], deliveries: changes }, feed);
  await expectAccount(system, order.customer, '498.00', ['TOP_UP', 'CHARGE']);

  expect(await statusOf(courier)).toBe('OFFLINE');
  expect(codeOf(await dispatch.assign(second.id, courier.id))).toBe('CONFLICT');
  await ask('mutation { setCourierStatus(status: AVAILABLE) { id } }', {}, courier.token);
  expect(await statusOf(courier)).toBe('AVAILABLE');
  await expectFeed(feed, second.id, [['PENDING', 'system', null]]);
});

test('a delivery that fails refunds its order', async () => {
  const order = await placeWatched(system);
  await dispatch.assign(order.id, courier.id);
  await dispatch.moveAlong(order.id, ['IN_TRANSIT'], courier.token);
  expect((await dispatch.move(order.id, 'FAILED', courier.token, 'Nobody there')).data).toMatchObject({
    updateDeliveryStatus: { status: 'FAILED' },
  });
  const changes: SeenChange[] = [
    ['PENDING', 'system', null],
    ['IN_TRANSIT', 'courier', null],
    ['FAILED', 'courier', 'Nobody there'],
  ];
  await expectSeen(order, { orders: ['PENDING', 'PAID', 'CANCELLED'], deliveries: changes }, feed);
  await expectAccount(system, order.customer, '500.00', ['TOP_UP', 'CHARGE', 'REFUND']);
  expect(await statusOf(courier)).toBe('AVAILABLE');
});

test('a delivery that is given back waits for another courier', async () => {
  const order = await placeWatched(system);
  await dispatch.assign(order.id, courier.id);
  await dispatch.moveAlong(order.id, ['IN_TRANSIT'], courier.token);
  expect((await dispatch.move(order.id, 'PENDING', courier.token, 'Flat tyre')).data).toEqual({
    updateDeliveryStatus: { status: 'PENDING', courier: null },
  });
  expect(await statusOf(courier)).toBe('AVAILABLE');
  expect((await dispatch.assign(order.id, other.id)).data).toMatchObject({
    assignCourier: { courier: { name: 'Emil' } },
  });
  expect((await dispatch.unassign(order.id)).data).toEqual({
    unassignCourier: {
      ...{ status: 'PENDING', courier: null },
      history: [
        { status: 'PENDING', by: 'system', reason: null },
        { status: 'IN_TRANSIT', by: 'courier', reason: null },
        { status: 'PENDING', by: 'courier', reason: 'Flat tyre' },
      ],
    },
  });
  await dispatch.assign(order.id, other.id);
  await dispatch.moveAlong(order.id, wayToTheDoor, other.token);
  const changes: SeenChange[] = [
    ['PENDING', 'system', null],
    ['IN_TRANSIT', 'courier', null],
    ['PENDING', 'courier', 'Flat tyre'],
    ...seenToTheDoor,
  ];
  await expectSeen(order, { orders: ['PENDING', 'PAID', 'COMPLETED'], deliveries: changes }, feed);
  await expectAccount(system, order.customer, '498.00', ['TOP_UP', 'CHARGE']);
  expect(await statusOf(other)).toBe('AVAILABLE');
});

describe('who may what', () => {
  test.each([
    ['createCourier(input: { name: "A", phone: "+4930123456", transport: CAR }) { id }'],
    [`updateCourier(input: { id: "${'0'.repeat(8)}-0000-4000-8000-000000000000", name: "A" }) { id }`],
    [`setCourierStatus(id: "${'0'.repeat(8)}-0000-4000-8000-000000000000", status: OFFLINE) { id }`],
    [`assignCourier(orderId: "${'0'.repeat(8)}-0000-4000-8000-000000000000") { id }`],
    [`unassignCourier(orderId: "${'0'.repeat(8)}-0000-4000-8000-000000000000") { id }`],
  ])('staff alone: %s', async (field) => {
    for (const token of [customer.token, courier.token])
      expect(codeOf(await ask(`mutation { ${field} }`, {}, token))).toBe('FORBIDDEN');
    expect(codeOf(await system.graphql(`mutation { ${field} }`))).toBe('UNAUTHENTICATED');
  });

  test('customers move nothing and are nowhere, and a courier does not see what others bring', async () => {
    const { id } = await placeWatched(system, customer);
    await dispatch.assign(id, other.id);
    expect(codeOf(await dispatch.move(id, 'IN_TRANSIT', customer.token))).toBe('FORBIDDEN');
    expect(codeOf(await dispatch.move(id, 'IN_TRANSIT', courier.token))).toBe('NOT_FOUND');
    expect(
      codeOf(await ask('mutation { setCourierStatus(status: OFFLINE) { id } }', {}, customer.token)),
    ).toBe('FORBIDDEN');
    const where = 'mutation { reportLocation(latitude: 1, longitude: 1) { id } }';
    expect(codeOf(await ask(where, {}, customer.token))).toBe('FORBIDDEN');
    expect(codeOf(await ask('{ couriers { totalCount } }', {}, courier.token))).toBe('FORBIDDEN');
    expect(
      codeOf(await ask('query ($id: ID!) { courier(id: $id) { id } }', { id: other.id }, courier.token)),
    ).toBe('NOT_FOUND');
    const { data } = await ask('{ deliveries(first: 100) { nodes { courier { id } } } }', {}, courier.token);
    const { nodes } = (data as { deliveries: { nodes: { courier: { id: string } }[] } }).deliveries;
    expect(new Set(nodes.map((node) => node.courier.id))).toEqual(new Set([courier.id]));
  });
});

test('lists of couriers and deliveries are paged, filtered and counted', async () => {
  const { data } = await ask(
    `{ all: couriers(first: 100) { totalCount nodes { id status deliveries(active: false) { totalCount } } }
      busy: couriers(status: BUSY, first: 1) { totalCount pageInfo { hasNextPage } nodes { status } }
      availableCourier(transport: SCOOTER) { transport status }
      ended: deliveries(filter: { status: [DELIVERED, FAILED] }) { totalCount nodes { status } } }`,
    {},
    system.staffToken,
  );
  const { all, busy, availableCourier, ended } = data as Record<
    'all' | 'busy' | 'ended',
    { totalCount: number; nodes: { id: string; status: string; deliveries: { totalCount: number } }[] }
  > & { availableCourier: object };
  expect(all.totalCount).toBe(12);
  expect(busy.totalCount).toBe(all.nodes.filter(({ status }) => status === 'BUSY').length);
  expect(busy.nodes).toEqual([{ status: 'BUSY' }]);
  expect(availableCourier).toEqual({ transport: 'SCOOTER', status: 'AVAILABLE' });
  expect(ended.totalCount).toBe(3);
  expect(all.nodes.find(({ id }) => id === courier.id)?.deliveries.totalCount).toBe(2);
});

test('100 dispatchers at once give 10 couriers one delivery each', async () => {
  await dispatch.setDuty([courier.id, other.id], 'OFFLINE');
  const couriers = [...(await dispatch.couriers())].flatMap(([id, status]) =>
    status === 'AVAILABLE' ? [id] : [],
  );
  expect(couriers).toHaveLength(10);
  const orders = await placeAll(system, customer, 12);
  // Each order is given some eight times: first to couriers that are named, then to the best one.
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, n) => {
      const { id } = orders[n % 12] as Watched;
      const named = n < 40 ? (couriers[(n * 7) % 10] ?? null) : null;
      return { id, named, ...(await dispatch.assign(id, named)) };
    }),
  );
  // On a busy machine an answer may come too late for the gateway, and be one of those that gave.
  const given = await until('all couriers have something', async () => {
    const has = async ({ id }: Watched) => [id, (await dispatch.courierOf(id))?.id] as const;
    const having = (await Promise.all(orders.map(has))).filter(([, to]) => to !== undefined);
    return having.length === couriers.length && new Map(having);
  });
  expect([...given.values()].toSorted()).toEqual(couriers.toSorted());
  for (const { id, named, data, errors } of answers) {
    const to = data?.assignCourier.courier.id;
    if (to === undefined) expect(['CONFLICT', 'SERVICE_UNAVAILABLE']).toContain(codeOf({ errors }));
    else {
      // Named again, a courier that has it keeps it: the same answer.
      expect(to).toBe(given.get(id));
      if (named !== null) expect(to).toBe(named);
    }
  }

  await Promise.all(orders.map(({ id }) => dispatch.cancel(id, customer.token)));
  const deliveries: SeenChange[] = [
    ['PENDING', 'system', null],
    ['CANCELLED', 'customer', null],
  ];
  for (const order of orders)
    await expectSeen(order, { orders: ['PENDING', 'PAID', 'CANCELLED'], deliveries }, feed);
  const now = await dispatch.couriers();
  for (const id of couriers) expect(now.get(id)).toBe('AVAILABLE');
});

bus.proveIt();
