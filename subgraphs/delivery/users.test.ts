import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { orderCreated, orderErased } from '../../events/order.js';
import { paymentCompleted } from '../../events/payment.js';
import { userDeleted, userUpdated } from '../../events/user.js';
import type { Role } from '../../platform/auth/principal.js';
import { ok, refuse, unwrap } from '../../platform/errors.js';
import { gate } from '../../platform/testing/gate.js';
import { erased } from '../../platform/text.js';
import { onlyCouriers, untold } from '../../test/support/couriers.js';
import { beginDelivery, dispatching, stepDelivery } from '../../test/support/deliveries.js';
import { consumerOf, eventOf, serviceDatabase } from '../../test/support/service.js';
import type { AskUsers } from './accounts.js';
import { assignCouriers } from './assign.js';
import { consumers } from './consumers.js';
import { courierCommands } from './couriers.js';
import { dispatchCommands } from './dispatch.js';

const profile = { name: 'Rosa', phone: '+4930123456', transport: 'CAR' } as const;

async function open(users: AskUsers = onlyCouriers) {
  const database = await serviceDatabase('delivery');
  const all = consumers(database, dispatching.geography, untold);
  const rows = async (text: string, values: unknown[] = []) => (await database.query(text, values)).rows;
  return {
    database,
    all,
    rows,
    couriers: courierCommands(database, dispatching.geography, users),
    dispatch: dispatchCommands(database, dispatching),
    remove: (userId: string, rights = 2) =>
      consumerOf(all, userDeleted).handle([eventOf(userDeleted, { userId, rights })]),
    update: (userId: string, role: Role, rights = 2) =>
      consumerOf(all, userUpdated).handle([eventOf(userUpdated, { userId, role, rights, version: rights })]),
  };
}

test('an account is that of a courier where the user service says so, and nothing newer is known', async () => {
  const answers = new Map<string, Awaited<ReturnType<AskUsers['ask']>>>();
  const { couriers, update } = await open({
    ask: async ({ userId }) => answers.get(userId) ?? refuse('SERVICE_UNAVAILABLE', 'It is away.'),
  });
  const make = async (answer?: { role: Role | null; rights: number }, before?: Role) => {
    const userId = randomUUID();
    if (answer) answers.set(userId, ok(answer));
    if (before) await update(userId, before);
    return couriers.create({ ...profile, userId });
  };
  expect(await make()).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  expect(await make({ role: null, rights: 1 })).toMatchObject({ code: 'NOT_FOUND', field: 'userId' });
  expect(await make({ role: 'CUSTOMER', rights: 1 })).toMatchObject({ code: 'CONFLICT', field: 'userId' });
  expect(await make({ role: 'COURIER', rights: 1 }, 'CUSTOMER')).toMatchObject({ code: 'CONFLICT' });
  expect(await make({ role: 'COURIER', rights: 3 }, 'CUSTOMER')).toMatchObject({ ok: true });
  expect(await couriers.create({ ...profile, userId: null })).toMatchObject({ ok: true });
});

test('a courier that is made while its account loses the role is off duty', async () => {
  const [asked, answered] = [gate(), gate()];
  const { couriers, update, rows } = await open({
    async ask() {
      asked.resolve();
      await answered.promise;
      return ok({ role: 'COURIER', rights: 1 });
    },
  });
  const userId = randomUUID();
  const making = couriers.create({ ...profile, userId });
  await asked.promise;
  const taking = update(userId, 'CUSTOMER');
  answered.resolve();
  const [made] = await Promise.all([making, taking]);
  if (made.ok) expect(await rows('select off_duty from couriers')).toEqual([{ off_duty: true }]);
  else expect(made.code).toBe('CONFLICT');
});

test('whose account is no courier’s any more goes off duty, and what they have waits for others', async () => {
  const { database, couriers, dispatch, update, rows } = await open();
  const [userId, other] = [randomUUID(), randomUUID()];
  const courierId = unwrap(await couriers.create({ ...profile, userId }));
  const delivery = await database.transaction((tx) => beginDelivery(tx, courierId));
  await database.transaction((tx) => stepDelivery(tx, delivery));
  await update(userId, 'CUSTOMER');
  expect(await rows('select status, courier_id as courier from deliveries')).toEqual([
    { status: 'PENDING', courier: null },
  ]);
  expect(await rows('select reason, by from delivery_changes order by sequence desc limit 1')).toEqual([
    { reason: 'The courier has left.', by: 'system' },
  ]);
  expect(await couriers.setStatus({ userId }, 'AVAILABLE')).toMatchObject({ code: 'CONFLICT' });
  expect(await dispatch.assign(delivery.orderId, courierId)).toMatchObject({ code: 'CONFLICT' });
  expect(await assignCouriers(database, dispatching)).toBe(0);
  unwrap(await couriers.create({ ...profile, userId: other }));
  expect(await assignCouriers(database, dispatching)).toBe(1);
  await update(userId, 'COURIER', 3);
  expect(await couriers.setStatus({ userId }, 'AVAILABLE')).toMatchObject({ ok: true });
});

test('of a courier whose account was deleted nothing personal stays', async () => {
  const { database, couriers, dispatch, remove, rows } = await open();
  const userId = randomUUID();
  const courierId = unwrap(await couriers.create({ ...profile, userId }));
  const delivery = await database.transaction((tx) => beginDelivery(tx, courierId));
  unwrap(await dispatch.move(delivery.orderId, 'IN_TRANSIT', 'I am on my way', { userId }));
  unwrap(await couriers.report(userId, { latitude: 52.5, longitude: 13.4 }));
  await remove(userId);
  expect(await rows('select name, phone, latitude, located_at, off_duty from couriers')).toEqual([
    { name: 'Deleted user', phone: null, latitude: null, located_at: null, off_duty: true },
  ]);
  expect(await rows('select courier_id from deliveries')).toEqual([{ courier_id: null }]);
  expect(await rows(`select from delivery_changes where reason like 'I am%'`)).toEqual([]);
  // What was asked before and comes now.
  expect(await couriers.report(userId, { latitude: 52.6, longitude: 13.4 })).toMatchObject({
    code: 'CONFLICT',
  });
  expect(await rows('select latitude from couriers')).toEqual([{ latitude: null }]);
});

test('an order that is erased keeps no address and no reason of its customer, in whatever order events come', async () => {
  for (const order of [
    ['created', 'paid', 'erased'],
    ['erased', 'paid', 'created'],
    ['paid', 'erased', 'created'],
    ['created', 'erased', 'paid'],
  ]) {
    const { all, rows } = await open();
    const is = { orderId: randomUUID(), userId: randomUUID() };
    const money = { amountCents: 1, currency: 'EUR' } as const;
    const handle: Record<string, () => Promise<void>> = {
      created: () =>
        consumerOf(all, orderCreated).handle([
          eventOf(orderCreated, { ...is, totalCents: 1, currency: 'EUR', deliveryAddress: 'Long Lane 1' }),
        ]),
      paid: () =>
        consumerOf(all, paymentCompleted).handle([
          eventOf(paymentCompleted, { ...is, ...money, paymentId: randomUUID(), status: 'SUCCESS' }),
        ]),
      erased: () => consumerOf(all, orderErased).handle([eventOf(orderErased, is)]),
    };
    for (const event of order) await handle[event]?.();
    expect(await rows('select address, closed from known_orders')).toEqual([
      { address: erased, closed: true },
    ]);
    const begun = order[2] === 'erased' ? [{ address: erased }] : [];
    expect(await rows('select address from deliveries')).toEqual(begun);
  }
});

test('a customer’s reason is erased with its order, others’ stay', async () => {
  const { database, all, dispatch, rows } = await open();
  const one = await database.transaction((tx) => beginDelivery(tx));
  unwrap(await dispatch.move(one.orderId, 'IN_TRANSIT', 'Go', 'staff'));
  unwrap(await dispatch.move(one.orderId, 'CANCELLED', 'Too late', 'staff'));
  await database.query(`update delivery_changes set by = 'customer' where status = 'CANCELLED'`);
  await consumerOf(all, orderErased).handle([eventOf(orderErased, one)]);
  expect(await rows('select by, reason from delivery_changes order by sequence')).toEqual([
    { by: 'system', reason: null },
    { by: 'dispatcher', reason: 'Go' },
    { by: 'customer', reason: null },
  ]);
});
