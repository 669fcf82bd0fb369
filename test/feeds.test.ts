import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../platform/testing/until.js';
import type { Customer } from './support/client.js';
import type { Live } from './support/live.js';
import { type System, startSystem } from './support/system.js';

let system: System;
let customer: Customer;

beforeAll(async () => {
  system = await startSystem({ DELIVERY_STEP: '200ms' });
  customer = await system.register();
  await system.topUp(customer, '500.00');
});
afterAll(() => system?.stop());

interface Update {
  cursor: string;
  status: string;
  order: { id: string };
}
interface Change extends Update {
  previous: string | null;
  delivery: { courier: { name: string } | null };
}

const myOrders = `subscription ($after: Cursor) { myOrdersUpdated(after: $after) { cursor status order { id } } }`;
const deliveries = `subscription ($filter: DeliveryFilter, $after: Cursor) {
  deliveriesChanged(filter: $filter, after: $after) { cursor previous status order { id } delivery { courier { name } } } }`;

const updates = (live: Live<{ myOrdersUpdated: Update }>): Update[] =>
  live.messages.map(({ data, errors }) => {
    if (!data || errors) throw new Error(JSON.stringify(errors));
    return data.myOrdersUpdated;
  });
const changes = (live: Live<{ deliveriesChanged: Change }>): Change[] =>
  live.messages.map(({ data, errors }) => {
    if (!data || errors) throw new Error(JSON.stringify(errors));
    return data.deliveriesChanged;
  });

test('myOrdersUpdated brings every change of all orders of a user once and in order, new orders included', async () => {
  const live = system.subscribe<{ myOrdersUpdated: Update }>(myOrders, {}, customer.token);
  const orders = await Promise.all([1, 2, 3].map(() => system.order(customer)));
  await Promise.all(orders.map((order) => system.reaches(order, 'COMPLETED')));
  const history = await system.sql<{ orderId: string; status: string }>(
    'order',
    'select order_id as "orderId", status from order_changes where user_id = $1 order by user_sequence',
    [customer.userId],
  );
  await live.waitFor((messages) => messages.length >= history.length);
  const seen = updates(live).map(({ order, status }) => ({ orderId: order.id, status }));
  expect(seen).toEqual(history);

  // Whoever comes back at any of them gets what came after it.
  const cursors = updates(live).map(({ cursor }) => cursor);
  expect(new Set(cursors).size).toBe(history.length);
  for (const at of [0, 5, history.length - 2]) {
    const again = system.subscribe<{ myOrdersUpdated: Update }>(
      myOrders,
      { after: cursors[at] },
      customer.token,
    );
    await again.waitFor((messages) => messages.length >= history.length - at - 1);
    expect(updates(again)).toEqual(updates(live).slice(at + 1));
    again.close();
  }
  live.close();
});

test('deliveriesChanged brings staff each change of each delivery that matches, in each delivery’s order', async () => {
  const all = system.subscribe<{ deliveriesChanged: Change }>(deliveries, {}, system.staffToken);
  const done = system.subscribe<{ deliveriesChanged: Change }>(
    deliveries,
    { filter: { status: ['DELIVERED', 'FAILED'] } },
    system.staffToken,
  );
  await until('both watch', async () => (await system.watching()) >= 2);
  const orders = await Promise.all([1, 2, 3].map(() => system.order(customer)));
  const isDone = ({ status }: Change) => status === 'DELIVERED';
  await all.waitFor(() => changes(all).filter(isDone).length >= 3);
  await done.waitFor((messages) => messages.length >= 3);
  expect(changes(done)).toEqual(changes(all).filter(isDone));
  for (const order of orders) {
    const mine = changes(all).filter((change) => change.order.id === order);
    expect(mine.map(({ previous, status }) => [previous, status])).toEqual([
      [null, 'PENDING'],
      ['PENDING', 'IN_TRANSIT'],
      ['IN_TRANSIT', 'OUT_FOR_DELIVERY'],
      ['OUT_FOR_DELIVERY', 'DELIVERED'],
    ]);
  }
  const { cursor } = changes(all)[2] ?? { cursor: '' };
  const again = system.subscribe<{ deliveriesChanged: Change }>(
    deliveries,
    { after: cursor },
    system.staffToken,
  );
  await again.waitFor((messages) => messages.length >= all.messages.length - 3);
  const bare = (list: Change[]) => list.map(({ delivery: _, ...change }) => change);
  expect(bare(changes(again))).toEqual(bare(changes(all)).slice(3));
  for (const live of [all, done, again]) live.close();
});
