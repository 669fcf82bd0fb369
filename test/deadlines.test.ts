import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../platform/testing/until.js';
import { type System, startSystem } from './support/system.js';

/** Couriers are sent at once, and never set out. */
let system: System;
beforeAll(async () => {
  system = await startSystem({
    ...{ DELIVERY_SIMULATION: 'off', DELIVERY_DEADLINE: '1s', DELIVERY_MAX_ATTEMPTS: '2' },
  });
});
afterAll(() => system?.stop());

test('a delivery that nobody brings in time fails, its order is refunded, and its customer sees that', async () => {
  const customer = await system.register();
  await system.topUp(customer, '100.00');
  const orderId = await system.order(customer);
  const orders = system.subscribe<{ orderUpdated: object }>(
    'subscription ($id: ID!) { orderUpdated(orderId: $id) { status order { deliveryStatus } } }',
    { id: orderId },
    customer.token,
  );
  const deliveries = system.subscribe<{ deliveryStatusChanged: object }>(
    'subscription ($id: ID!) { deliveryStatusChanged(orderId: $id) { status by reason } }',
    { id: orderId },
    customer.token,
  );
  expect(await deliveries.ended).toMatchObject({ complete: true });
  expect(await orders.ended).toMatchObject({ complete: true });
  expect(deliveries.messages.at(-1)?.data).toEqual({
    deliveryStatusChanged: { status: 'FAILED', by: 'system', reason: 'The deadline has passed.' },
  });
  expect(orders.messages.at(-1)?.data).toEqual({
    orderUpdated: { status: 'CANCELLED', order: { deliveryStatus: 'FAILED' } },
  });
  await until('all is given back', async () => {
    const { myAccount } = await system.ask<{ myAccount: { balance: { amount: string } } }>(
      '{ myAccount { balance { amount } } }',
      {},
      customer.token,
    );
    return myAccount.balance.amount === '100.00';
  });
  expect(await system.sql('payment', 'select * from ledger_faults')).toEqual([]);
  const [row] = await system.sql('delivery', 'select attempts from deliveries where order_id = $1', [
    orderId,
  ]);
  expect(row).toEqual({ attempts: 2 });
});

test('lists are narrowed to what is overdue, and watching is not', async () => {
  const customer = await system.register();
  await system.topUp(customer, '100.00');
  const orderId = await system.order(customer);
  const listed = async (overdue: boolean) =>
    (
      await system.ask<{ deliveries: { nodes: { order: { id: string } }[] } }>(
        'query ($filter: DeliveryFilter) { deliveries(first: 100, filter: $filter) { nodes { order { id } } } }',
        { filter: { overdue } },
        customer.token,
      )
    ).deliveries.nodes.map(({ order }) => order.id);
  await until('it is there', async () => (await listed(false)).includes(orderId));
  expect(await listed(true)).not.toContain(orderId);
  const live = system.subscribe(
    'subscription { deliveriesChanged(filter: { overdue: true }) { cursor } }',
    {},
    system.staffToken,
  );
  expect((await live.ended).errors).toMatchObject([
    { extensions: { code: 'BAD_USER_INPUT', field: 'filter.overdue' } },
  ]);
});
