import { randomUUID } from 'node:crypto';
import { until } from '../../../platform/testing/until.js';
import type { Customer } from '../client.js';
import { courierAccount } from '../couriers.js';
import type { System } from '../system.js';
import { busiestCustomer, someCourier, someProduct } from './history.js';
import { times } from './lists.js';

const orderUpdated =
  'subscription ($id: ID!, $after: Cursor) { orderUpdated(orderId: $id, after: $after) { cursor status order { id } } }';
const myOrders =
  'subscription ($after: Cursor) { myOrdersUpdated(after: $after) { cursor status order { id deliveryStatus } } }';
const changed = `subscription ($id: ID!, $after: Cursor) { deliveryStatusChanged(orderId: $id, after: $after) {
  cursor status delivery { id courier { id } } order { id } } }`;
const paymentCompleted =
  'subscription ($id: ID!) { paymentCompleted(orderId: $id) { id status order { id } } }';
const moved = 'subscription ($id: ID!) { courierMoved(orderId: $id) { latitude longitude at estimatedAt } }';
const all = `subscription ($filter: DeliveryFilter, $after: Cursor) { deliveriesChanged(filter: $filter, after: $after) {
  cursor status delivery { id } order { id } } }`;

const assign = `mutation ($orderId: ID!, $courierId: ID) { assignCourier(orderId: $orderId, courierId: $courierId) { id courier { id status } } }`;
const unassign = 'mutation ($orderId: ID!) { unassignCourier(orderId: $orderId) { id } }';
const move = `mutation ($orderId: ID!, $status: DeliveryStatus!) {
  updateDeliveryStatus(orderId: $orderId, status: $status, reason: "Why not") { id status } }`;
const cancel = 'mutation ($id: ID!) { cancelOrder(id: $id, reason: "Too late") { id status } }';

/**
 * Watches what can be watched of everybody's orders: as staff, and as the customer of most of them. What it answers has
 * each of these come back by the last cursor that it has seen, and ends them once all is as it should be.
 */
export async function watchAll(system: System): Promise<() => Promise<void>> {
  const busiest = await system.sign({ id: busiestCustomer });
  const asked: [string, object, string][] = [
    [myOrders, {}, busiest],
    [all, {}, system.staffToken],
    [all, { filter: { status: ['PENDING', 'IN_TRANSIT'] } }, system.staffToken],
    [all, { filter: { courierId: someCourier } }, system.staffToken],
  ];
  const lives = asked.map(([query, variables, token]) => system.subscribe(query, variables, token));
  await Promise.all(lives.map((live) => live.waitFor(({ length }) => length > 0)));
  return async () => {
    for (const [place, [query, variables, token]] of asked.entries()) {
      // From its first message on: all that has been since comes again.
      const [first, second] = lives[place]?.messages ?? [];
      const live = system.subscribe(query, { ...variables, after: cursorIn(first) }, token);
      if (second) await live.waitFor(({ length }) => length > 0);
      live.close();
      lives[place]?.close();
    }
  };
}

const cursorIn = (message: unknown): string | undefined =>
  /"cursor":"([^"]+)"/.exec(JSON.stringify(message))?.[1];

/** Places an order, does `then` once its delivery waits for a courier, and sees it to its end. */
async function place(system: System, customer: Customer, then: (orderId: string) => Promise<unknown>) {
  const idempotencyKey = randomUUID();
  const orderId = await system.order(customer, { idempotencyKey });
  await system.order(customer, { idempotencyKey });
  await until('its delivery waits', async () => {
    const query = 'query ($id: ID!) { order(id: $id) { delivery { id } } }';
    const { order } = await system.ask<{ order: { delivery: unknown } }>(
      query,
      { id: orderId },
      customer.token,
    );
    return order.delivery !== null;
  });
  await then(orderId);
  await until('it is at its end', async () => {
    const query = 'query ($id: ID!) { order(id: $id) { status } }';
    const { order } = await system.ask<{ order: { status: string } }>(query, { id: orderId }, customer.token);
    return order.status === 'COMPLETED' || order.status === 'CANCELLED';
  });
  return orderId;
}

/** The same, while its customer watches to the end; and comes back, and has all told again since the first change. */
async function placeWatched(system: System, customer: Customer, then: (orderId: string) => Promise<unknown>) {
  const queries = [orderUpdated, paymentCompleted, changed];
  const orderId = await place(system, customer, async (id) => {
    const lives = queries.map((query) => system.subscribe(query, { id }, customer.token));
    const courier = system.subscribe(moved, { id }, customer.token);
    await Promise.all(lives.map((live) => live.waitFor(({ length }) => length > 0)));
    await then(id);
    if (!(await courier.ended).complete) throw new Error('the courier was not followed to the end');
    for (const [index, { ended, messages }] of lives.entries()) {
      if (!(await ended).complete) throw new Error(`${queries[index]} was not completed`);
      if (queries[index] === paymentCompleted) continue;
      await system.subscribe(queries[index] ?? '', { id, after: cursorIn(messages[0]) }, customer.token)
        .ended;
    }
  });
  return orderId;
}

/** Each thing by its id, as a page of its own has it. */
async function readOne(system: System, id: string): Promise<void> {
  const { order } = await system.ask<{ order: Record<'payment' | 'delivery', { id: string } | null> }>(
    'query ($id: ID!) { order(id: $id) { id status items { quantity product { id } } payment { id } delivery { id } } }',
    { id },
    system.staffToken,
  );
  await system.ask(
    `query ($payment: ID!, $delivery: ID!, $courier: ID!, $product: ID!) {
      payment(id: $payment) { id order { id user { id } } }
      delivery(id: $delivery) { id history { status } order { id status } courier { id } }
      courier(id: $courier) { id status } product(id: $product) { id name } }`,
    { payment: order.payment?.id, delivery: order.delivery?.id, courier: someCourier, product: someProduct },
    system.staffToken,
  );
}

async function newCustomer(system: System): Promise<Customer> {
  const customer = await system.register();
  await system.topUp(customer, '500.00');
  const input = { amount: '1.00', idempotencyKey: randomUUID(), userId: customer.userId };
  for (let time = 0; time < 2; time += 1)
    await system.ask(
      'mutation ($input: TopUpInput!) { topUp(input: $input) { id balance { amount } } }',
      { input },
      system.staffToken,
    );
  return customer;
}

/** All that people do, where nobody is assigned and nothing moves but by them. */
export async function actByHand(system: System): Promise<void> {
  const { staffToken } = system;
  const customer = await newCustomer(system);
  const { userId, token: courier } = await courierAccount(system);
  await system.ask(
    'mutation ($input: ProductInput!) { upsertProduct(input: $input) { id } }',
    { input: { name: 'Tea', price: '2.00' } },
    system.staffToken,
  );
  const { createCourier } = await system.ask<{ createCourier: { id: string } }>(
    'mutation ($input: CreateCourierInput!) { createCourier(input: $input) { id status } }',
    { input: { name: 'Rosa', phone: '+49 30 123456', transport: 'SCOOTER', userId } },
    staffToken,
  );
  const courierId = createCourier.id;
  const give = (orderId: string, to: string | null) =>
    system.ask(assign, { orderId, courierId: to }, staffToken);
  const step = async (orderId: string, ...statuses: string[]) => {
    for (const status of statuses) await system.ask(move, { orderId, status }, courier);
  };
  for (let time = 0; time < times; time += 1) {
    // What watches look again at every change: once is often enough.
    const go = time === 0 ? placeWatched : place;
    await system.ask(
      'mutation ($input: UpdateCourierInput!) { updateCourier(input: $input) { id } }',
      { input: { id: courierId, name: `Rosa ${time}` } },
      staffToken,
    );
    for (const status of ['OFFLINE', 'AVAILABLE']) {
      await system.ask(
        'mutation ($id: ID, $status: CourierStatus!) { setCourierStatus(id: $id, status: $status) { id status } }',
        { id: courierId, status },
        staffToken,
      );
      await system.ask(
        'mutation ($status: CourierStatus!) { setCourierStatus(status: $status) { id status } }',
        { status },
        courier,
      );
    }
    const brought = await go(system, customer, async (orderId) => {
      await give(orderId, courierId);
      await system.ask(
        'mutation { reportLocation(latitude: 52.5, longitude: 13.4) { id location { at } } }',
        {},
        courier,
      );
      await step(orderId, 'IN_TRANSIT', 'PENDING');
      await give(orderId, null);
      await system.ask(unassign, { orderId }, staffToken);
      await give(orderId, courierId);
      await step(orderId, 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED');
    });
    await go(system, customer, async (orderId) => {
      await give(orderId, courierId);
      await step(orderId, 'IN_TRANSIT', 'FAILED');
    });
    await go(system, customer, (id) => system.ask(cancel, { id }, customer.token));
    await readOne(system, brought);
    // Before anything has come of it.
    await system.ask(cancel, { id: await system.order(customer) }, customer.token);
  }
  await notPaid(system);
  await until('nothing is late any more', async () => {
    const late = '{ deliveries(filter: { overdue: true }) { totalCount } }';
    return (
      (await system.ask<{ deliveries: { totalCount: number } }>(late, {}, staffToken)).deliveries
        .totalCount === 0
    );
  });
}

/** An order of who cannot pay it. */
async function notPaid(system: System): Promise<void> {
  const poor = await system.register();
  const live = system.subscribe(orderUpdated, { id: await system.order(poor) }, poor.token);
  await live.ended;
}

/** Orders that go their way by themselves, with all that were open, many at a time. */
export async function letGo(system: System): Promise<void> {
  const customer = await newCustomer(system);
  for (let time = 0; time < times; time += 1) await Promise.all([0, 1].map(() => system.order(customer)));
  await until('no order is open any more', async () => {
    const { pending, paid } = await system.ask<Record<'pending' | 'paid', { totalCount: number }>>(
      '{ pending: orders(filter: { status: PENDING }) { totalCount } paid: orders(filter: { status: PAID }) { totalCount } }',
      {},
      system.staffToken,
    );
    return pending.totalCount + paid.totalCount === 0;
  });
}
