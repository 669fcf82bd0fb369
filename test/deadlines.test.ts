import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../platform/testing/until.js';
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
  expectSeen,
  type Feed,
  placeWatched,
  type SeenChange,
  type Watched,
  watchAll,
} from './support/watched.js';

/** Couriers are sent at once, and never set out but by what a test does. */
let system: System;
let dispatch: Dispatch;
let feed: Feed;
const bus = realBus();

const start = (overrides: Record<string, string>, replicas: number) =>
  beforeAll(async () => {
    system = await startSystem({ ...bus.env(), DELIVERY_SIMULATION: 'off', ...overrides });
    for (let n = 1; n < replicas && bus.isKafka; n += 1) await system.startReplica('delivery');
    dispatch = dispatchOf(system);
    feed = watchAll(system);
  });
const stop = () =>
  afterAll(async () => {
    feed?.close();
    await system?.stop();
  });

const attemptsOf = async (orderId: string) =>
  (await system.sql('delivery', 'select attempts from deliveries where order_id = $1', [orderId]))[0];
const allAreFree = () =>
  until('every courier is free', async () =>
    [...(await dispatch.couriers()).values()].every((status) => status === 'AVAILABLE'),
  );

describe('deadlines, with two replicas of delivery where Kafka is', () => {
  start({ DELIVERY_DEADLINE: '1500ms', DELIVERY_MAX_ATTEMPTS: '2' }, 2);
  stop();

  test('a delivery that is late is taken off its courier, and another one brings it', async () => {
    const order = await placeWatched(system);
    const late = await dispatch.given(order.id);
    await dispatch.moveAlong(order.id, ['IN_TRANSIT'], late.token);
    const next = await until('another courier has it', async () => {
      const courier = await dispatch.courierOf(order.id);
      return courier && courier.id !== late.id && courier;
    });
    await dispatch.moveAlong(order.id, wayToTheDoor, next.token);
    const deliveries: SeenChange[] = [
      ['PENDING', 'system', null],
      ['IN_TRANSIT', 'courier', null],
      ['PENDING', 'system', 'The deadline has passed.'],
      ...seenToTheDoor,
    ];
    await expectSeen(order, { orders: ['PENDING', 'PAID', 'COMPLETED'], deliveries }, feed);
    expect(codeOf(await dispatch.move(order.id, 'IN_TRANSIT', late.token))).toBe('NOT_FOUND');
    const { order: read } = await system.ask<{ order: { delivery: { history: object[] } } }>(
      'query ($id: ID!) { order(id: $id) { delivery { history { status by reason } } } }',
      { id: order.id },
      order.customer.token,
    );
    expect(read.delivery.history).toEqual(deliveries.map(([status, by, reason]) => ({ status, by, reason })));
    expect(await attemptsOf(order.id)).toEqual({ attempts: 1 });
    await expectAccount(system, order.customer, '498.00', ['TOP_UP', 'CHARGE']);
    await allAreFree();
  });

  test('a delivery that nobody brings in time fails, its order is refunded, and its customer sees that', async () => {
    const order = await placeWatched(system);
    const deliveries: SeenChange[] = [
      ['PENDING', 'system', null],
      ['FAILED', 'system', 'The deadline has passed.'],
    ];
    await expectSeen(order, { orders: ['PENDING', 'PAID', 'CANCELLED'], deliveries }, feed);
    expect(await attemptsOf(order.id)).toEqual({ attempts: 2 });
    await expectAccount(system, order.customer, '500.00', ['TOP_UP', 'CHARGE', 'REFUND']);
    await allAreFree();
  });

  test('lists are narrowed to what is overdue, and watching is not', async () => {
    const { id, customer } = await placeWatched(system);
    const listed = async (overdue: boolean) =>
      (
        await system.ask<{ deliveries: { nodes: { order: { id: string } }[] } }>(
          'query ($filter: DeliveryFilter) { deliveries(first: 100, filter: $filter) { nodes { order { id } } } }',
          { filter: { overdue } },
          customer.token,
        )
      ).deliveries.nodes.map(({ order }) => order.id);
    await until('it is there', async () => (await listed(false)).includes(id));
    expect(await listed(true)).not.toContain(id);
    const live = system.subscribe(
      'subscription { deliveriesChanged(filter: { overdue: true }) { cursor } }',
      {},
      system.staffToken,
    );
    expect((await live.ended).errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', field: 'filter.overdue' } },
    ]);
  });
});

describe('more orders than couriers', () => {
  start({}, 1);
  stop();

  test('the rest wait in their turn, and get the couriers as these become free', async () => {
    await allAreFree();
    const ids = [...(await dispatch.couriers()).keys()];
    await dispatch.setDuty(ids.slice(2), 'OFFLINE');
    const orders: Watched[] = [];
    // Each of a customer of its own, and one after the other: in the order in which the deliveries begin.
    for (let n = 0; n < 5; n += 1) orders.push(await placeWatched(system));
    const order = (n: number) => orders[n] as Watched;
    const has = async (n: number) => (await dispatch.courierOf(order(n).id))?.id;
    const couriers: TestCourier[] = [await dispatch.given(order(0).id), await dispatch.given(order(1).id)];
    expect(couriers.map(({ id }) => id).toSorted()).toEqual(ids.slice(0, 2).toSorted());

    // Who is done first gets the oldest that waits, and nobody else does.
    for (const [done, next] of [
      [1, 2],
      [0, 3],
      [2, 4],
    ] as const) {
      for (let waiting = next; waiting < 5; waiting += 1) expect(await has(waiting)).toBeUndefined();
      const courier = await dispatch.given(order(done).id);
      await dispatch.moveAlong(order(done).id, wayToTheDoor, courier.token);
      expect((await dispatch.given(order(next).id)).id).toBe(courier.id);
    }
    for (const n of [3, 4])
      await dispatch.moveAlong(order(n).id, wayToTheDoor, (await dispatch.given(order(n).id)).token);
    const deliveries: SeenChange[] = [['PENDING', 'system', null], ...seenToTheDoor];
    for (const one of orders) {
      await expectSeen(one, { orders: ['PENDING', 'PAID', 'COMPLETED'], deliveries }, feed);
      await expectAccount(system, one.customer, '498.00', ['TOP_UP', 'CHARGE']);
    }
    await dispatch.setDuty(ids.slice(2), 'AVAILABLE');
    await allAreFree();
  });
});

bus.proveIt();
