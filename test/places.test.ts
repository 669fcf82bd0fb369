import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../platform/testing/until.js';
import type { Customer } from './support/client.js';
import { type Dispatch, dispatchOf, type TestCourier, wayToTheDoor } from './support/dispatch.js';
import { type System, startSystem } from './support/system.js';

/** Nobody is assigned, and nothing moves, but by what a test does; positions are told four times a second. */
let system: System;
let dispatch: Dispatch;
let customer: Customer;
let rosa: TestCourier;
let emil: TestCourier;
beforeAll(async () => {
  system = await startSystem({
    ...{ DELIVERY_SIMULATION: 'off', COURIER_ASSIGNMENT: 'manual', COURIER_MOVED_INTERVAL: '250ms' },
  });
  customer = await system.register();
  await system.topUp(customer, '500.00');
  dispatch = dispatchOf(system);
  [rosa, emil] = await Promise.all([dispatch.hire('Rosa'), dispatch.hire('Emil')]);
});
afterAll(() => system?.stop());

/** An order that is paid, whose delivery waits, or is given to a courier. */
async function paid(courier?: TestCourier): Promise<string> {
  const orderId = await system.order(customer);
  await until('a delivery waits', async () => {
    const rows = await system.sql('delivery', 'select from deliveries where order_id = $1', [orderId]);
    return rows.length > 0;
  });
  if (courier) await dispatch.assign(orderId, courier.id);
  return orderId;
}

const report = ({ token }: TestCourier, latitude: number, longitude = 13.4) =>
  system.ask(
    `mutation ($latitude: Float!, $longitude: Float!) {
      reportLocation(latitude: $latitude, longitude: $longitude) { location { estimatedAt } } }`,
    { latitude, longitude },
    token,
  );

interface Moved {
  courierMoved: { latitude: number; estimatedAt: string };
}
const follow = (orderId: string, token: string) =>
  system.subscribe<Moved>(
    'subscription ($id: ID!) { courierMoved(orderId: $id) { latitude longitude at estimatedAt } }',
    { id: orderId },
    token,
  );
const latitudes = ({ messages }: ReturnType<typeof follow>) =>
  messages.map(({ data }) => data?.courierMoved.latitude);
const lastIs = (live: ReturnType<typeof follow>, latitude: number) =>
  live.waitFor(() => latitudes(live).at(-1) === latitude);

test('a customer sees where the courier is, the latest at a settable rate, until the order is at the door', async () => {
  const orderId = await paid();
  const live = follow(orderId, customer.token);
  await report(rosa, 52.5);
  await dispatch.assign(orderId, rosa.id);
  await report(rosa, 52.51);
  await lastIs(live, 52.51);
  const began = Date.now();
  for (let step = 1; step <= 40; step += 1) await report(rosa, 52.51 + step / 1_000);
  await lastIs(live, 52.55);
  const rounds = 1 + Math.ceil((Date.now() - began) / 250);
  const seen = latitudes(live);
  // One of 52.5 too, where that was looked for before the next was said.
  expect(seen.length).toBeLessThanOrEqual(2 + rounds);
  expect(seen).toEqual([...new Set(seen)].toSorted());
  for (const { data } of live.messages)
    expect(Date.parse(data?.courierMoved.estimatedAt ?? '')).toBeGreaterThan(began);

  await dispatch.moveAlong(orderId, wayToTheDoor, rosa.token);
  expect(await live.ended).toMatchObject({ complete: true });
  await report(rosa, 1);
  expect(await follow(orderId, customer.token).ended).toMatchObject({ complete: true });
});

test('where a courier is concerns the customers whose order it brings, and no other any more', async () => {
  const seen = `query ($id: ID!) { order(id: $id) { delivery {
    estimatedAt courier { name location { latitude estimatedAt } } } } }`;
  const see = async (orderId: string) =>
    (await system.ask<{ order: { delivery: object } }>(seen, { id: orderId }, customer.token)).order.delivery;
  const orderId = await paid(rosa);
  await report(rosa, 52.5);
  expect(await see(orderId)).toEqual({
    estimatedAt: expect.any(String),
    courier: { name: 'Rosa', location: { latitude: 52.5, estimatedAt: expect.any(String) } },
  });
  // Staff sees more of the same delivery, and was there first: what each is told is its own all the same.
  const told = [system.staffToken, customer.token].map((token) =>
    system.subscribe<{ deliveryStatusChanged: { delivery: { courier: { location: object | null } } } }>(
      'subscription ($id: ID!) { deliveryStatusChanged(orderId: $id) { delivery { courier { location { latitude } } } } }',
      { id: orderId },
      token,
    ),
  );
  await Promise.all(told.map((live) => live.waitFor(({ length }) => length === 1)));
  const stranger = follow(orderId, (await system.register()).token);
  expect((await stranger.ended).errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  await dispatch.moveAlong(orderId, wayToTheDoor, rosa.token);
  expect(await see(orderId)).toEqual({ estimatedAt: null, courier: { name: 'Rosa', location: null } });
  await Promise.all(told.map(({ ended }) => ended));
  expect(
    told.map(({ messages }) => messages.at(-1)?.data?.deliveryStatusChanged.delivery.courier.location),
  ).toEqual([{ latitude: 52.5 }, null]);
});

test('the events of a customer do not tell where its courier was', async () => {
  const orderId = await paid(rosa);
  await report(rosa, 52.5);
  await dispatch.moveAlong(orderId, wayToTheDoor, rosa.token);
  const told = async (token: string) => {
    const { user } = await system.ask<{
      user: { events: { totalCount: number; nodes: { type: string; order: { id: string } | null }[] } };
    }>(
      'query ($id: ID!) { user(id: $id) { events(first: 100) { totalCount nodes { type order { id } } } } }',
      { id: customer.userId },
      token,
    );
    const { nodes, totalCount } = user.events;
    const types = nodes.filter(({ order }) => order?.id === orderId).map(({ type }) => type);
    return { types, isAll: nodes.length === totalCount };
  };
  await until('positions and the end are stored', async () => {
    const { types } = await told(system.staffToken);
    return types[0] === 'order.updated' && types.includes('courier.location.updated');
  });
  const { types } = await told(customer.token);
  expect(types).toContain('delivery.status.updated');
  expect(types).not.toContain('courier.location.updated');
  await until('they do not count either', async () => (await told(customer.token)).isAll);
});

test('a courier watches and reads what it brings, until it is taken off it', async () => {
  const orderId = await paid(rosa);
  const read = `query ($id: ID!) { order(id: $id) { id deliveryAddress items { quantity } user { firstName email } } }`;
  const watch = ({ token }: TestCourier) =>
    system.subscribe<{ deliveryStatusChanged: { status: string } }>(
      'subscription ($id: ID!) { deliveryStatusChanged(orderId: $id) { status delivery { address } } }',
      { id: orderId },
      token,
    );
  const [own, others] = [watch(rosa), watch(emil)];
  // The customer sees the same, and goes on.
  const theirs = watch(customer as unknown as TestCourier);
  expect((await others.ended).errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  await Promise.all([own, theirs].map((live) => live.waitFor(({ length }) => length === 1)));
  const place = follow(orderId, rosa.token);
  await report(rosa, 52.5);
  await lastIs(place, 52.5);

  await dispatch.move(orderId, 'IN_TRANSIT', rosa.token);
  await own.waitFor(({ length }) => length === 2);
  const order = await until('the order knows its courier', async () => {
    const { data } = await system.graphql<{ order: object | null }>(read, { id: orderId }, rosa.token);
    return data?.order ?? undefined;
  });
  expect(order).toEqual({
    ...{ id: orderId, deliveryAddress: 'Long Lane 1', items: [{ quantity: 1 }] },
    user: { firstName: 'Rosa', email: null },
  });
  expect((await system.graphql(read, { id: orderId }, emil.token)).errors).toMatchObject([
    { extensions: { code: 'NOT_FOUND' } },
  ]);

  await dispatch.move(orderId, 'PENDING', rosa.token);
  await dispatch.assign(orderId, emil.id);
  await dispatch.move(orderId, 'IN_TRANSIT', emil.token);
  for (const live of [own, place])
    expect((await live.ended).errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  expect(own.messages).toHaveLength(2);
  await theirs.waitFor(({ length }) => length === 4);
  await until('the order knows its other courier', async () => {
    const asked = [rosa, emil].map(({ token }) => system.graphql(read, { id: orderId }, token));
    const [before, now] = await Promise.all(asked);
    return before?.errors.length === 1 && now?.errors.length === 0;
  });
  theirs.close();
});

test('couriers of demo data have a phone and a transport each', async () => {
  const { couriers } = await system.ask<{
    couriers: { nodes: { name: string; phone: string; transport: string }[] };
  }>('{ couriers { nodes { name phone transport } } }', {}, system.staffToken);
  const demo = couriers.nodes.filter(({ phone }) => phone.startsWith('+4930231250'));
  expect(new Set(demo.map(({ phone }) => phone)).size).toBe(10);
  expect(new Set(demo.map(({ transport }) => transport)).size).toBe(4);
});
