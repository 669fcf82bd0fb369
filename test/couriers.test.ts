import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../platform/testing/until.js';
import type { Customer } from './support/client.js';
import { type System, startSystem } from './support/system.js';

/** Nobody is assigned, and nothing moves, but by what a test does. */
let system: System;
let customer: Customer;
let courier: { id: string; token: string };
let other: { id: string; token: string };
beforeAll(async () => {
  system = await startSystem({ DELIVERY_SIMULATION: 'off', COURIER_ASSIGNMENT: 'manual' });
  customer = await system.register();
  await system.topUp(customer, '500.00');
  [courier, other] = await Promise.all([hire('Rosa'), hire('Emil')]);
});
afterAll(() => system?.stop());

async function hire(name: string) {
  const { userId } = await system.register();
  const { createCourier } = await system.ask<{ createCourier: { id: string; status: string } }>(
    'mutation ($input: CreateCourierInput!) { createCourier(input: $input) { id status } }',
    { input: { name, phone: '+49 30 123456', transport: 'SCOOTER', userId } },
    system.staffToken,
  );
  expect(createCourier.status).toBe('AVAILABLE');
  return { id: createCourier.id, token: await system.sign({ id: userId, role: 'COURIER' }) };
}

/** An order that is paid, whose delivery waits. */
async function paid(): Promise<string> {
  const orderId = await system.order(customer);
  await until('a delivery waits', async () => {
    const { data } = await system.graphql<{ order: { delivery: object | null } }>(
      'query ($id: ID!) { order(id: $id) { delivery { id } } }',
      { id: orderId },
      customer.token,
    );
    return data?.order.delivery !== null;
  });
  return orderId;
}

const ask = (fields: string, variables: object, token: string) => system.graphql(fields, variables, token);
const assign = (orderId: string, courierId: string | null, token = system.staffToken) =>
  ask(
    `mutation ($orderId: ID!, $courierId: ID) { assignCourier(orderId: $orderId, courierId: $courierId) {
      status courier { id name phone status } } }`,
    { orderId, courierId },
    token,
  );
const move = (orderId: string, status: string, token: string, reason: string | null = null) =>
  ask(
    `mutation ($orderId: ID!, $status: DeliveryStatus!, $reason: String) {
      updateDeliveryStatus(orderId: $orderId, status: $status, reason: $reason) { status courier { id } } }`,
    { orderId, status, reason },
    token,
  );
const codeOf = ({ errors }: { errors: { extensions: { code: string } }[] }) => errors[0]?.extensions.code;

test('a delivery goes from a dispatcher to a courier to the door, and its customer watches', async () => {
  const orderId = await paid();
  const live = system.subscribe<{ deliveryStatusChanged: object }>(
    'subscription ($id: ID!) { deliveryStatusChanged(orderId: $id) { status by delivery { courier { name } } } }',
    { id: orderId },
    customer.token,
  );
  await live.waitFor(({ length }) => length === 1);
  expect((await assign(orderId, courier.id)).data).toEqual({
    assignCourier: {
      ...{ status: 'PENDING' },
      courier: { id: courier.id, name: 'Rosa', phone: '+4930123456', status: 'BUSY' },
    },
  });
  expect(codeOf(await assign(await paid(), courier.id))).toBe('CONFLICT');

  await ask('mutation { reportLocation(latitude: 52.5, longitude: 13.4) { id } }', {}, courier.token);
  const seen = `query ($id: ID!) { order(id: $id) { delivery {
    courier { name phone user { id } location { latitude longitude } deliveries { totalCount } } } } }`;
  const { data, errors } = await ask(seen, { id: orderId }, customer.token);
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

  for (const status of ['IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED'])
    expect((await move(orderId, status, courier.token)).data).toMatchObject({
      updateDeliveryStatus: { status },
    });
  expect(await live.ended).toMatchObject({ complete: true });
  expect(live.messages.map(({ data: event }) => event?.deliveryStatusChanged)).toMatchObject([
    { status: 'PENDING', by: 'system' },
    { status: 'IN_TRANSIT', by: 'courier', delivery: { courier: { name: 'Rosa' } } },
    { status: 'OUT_FOR_DELIVERY', by: 'courier' },
    { status: 'DELIVERED', by: 'courier' },
  ]);
  await system.reaches(orderId, 'COMPLETED');
});

test('a delivery that fails refunds its order', async () => {
  const orderId = await paid();
  await assign(orderId, courier.id);
  await move(orderId, 'IN_TRANSIT', courier.token);
  expect((await move(orderId, 'FAILED', courier.token, 'Nobody there')).data).toMatchObject({
    updateDeliveryStatus: { status: 'FAILED' },
  });
  await system.reaches(orderId, 'CANCELLED');
  await until('it is refunded', async () => {
    const rows = await system.sql(
      'payment',
      `select from payments where order_id = $1 and status = 'REFUNDED'`,
      [orderId],
    );
    return rows.length === 1;
  });
  expect(await system.sql('payment', 'select * from ledger_faults')).toEqual([]);
});

test('a delivery that is given back waits for another courier', async () => {
  const orderId = await paid();
  await assign(orderId, courier.id);
  await move(orderId, 'IN_TRANSIT', courier.token);
  expect((await move(orderId, 'PENDING', courier.token, 'Flat tyre')).data).toEqual({
    updateDeliveryStatus: { status: 'PENDING', courier: null },
  });
  expect((await assign(orderId, other.id)).data).toMatchObject({
    assignCourier: { courier: { name: 'Emil' } },
  });
  const taken = await ask(
    'mutation ($orderId: ID!) { unassignCourier(orderId: $orderId) { status courier { id } history { status by reason } } }',
    { orderId },
    system.staffToken,
  );
  expect(taken.data).toEqual({
    unassignCourier: {
      ...{ status: 'PENDING', courier: null },
      history: [
        { status: 'PENDING', by: 'system', reason: null },
        { status: 'IN_TRANSIT', by: 'courier', reason: null },
        { status: 'PENDING', by: 'courier', reason: 'Flat tyre' },
      ],
    },
  });
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
    const orderId = await paid();
    await assign(orderId, other.id);
    expect(codeOf(await move(orderId, 'IN_TRANSIT', customer.token))).toBe('FORBIDDEN');
    expect(codeOf(await move(orderId, 'IN_TRANSIT', courier.token))).toBe('NOT_FOUND');
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
  expect(ended.totalCount).toBe(2);
  expect(all.nodes.find(({ id }) => id === courier.id)?.deliveries.totalCount).toBe(2);
});
