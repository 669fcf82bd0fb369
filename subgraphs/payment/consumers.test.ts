import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { orderCancelled, orderCreated } from '../../events/order.js';
import { userRegistered } from '../../events/user.js';
import type { Database } from '../../platform/postgres/database.js';
import { consumerOf, counting, eventOf, serviceDatabase } from '../../test/support/service.js';
import { paymentCommands } from './commands.js';
import { consumers } from './consumers.js';
import { PrismaClient } from './generated/prisma/client.js';
import { book, type LockedAccount, lockAccounts } from './ledger.js';
import { readPayments } from './reads.js';

const ordered = (userId: string, totalCents: number, orderId: string = randomUUID()) =>
  eventOf(orderCreated, { orderId, userId, totalCents, currency: 'EUR', deliveryAddress: 'Long Lane 1' });

function handlers(database: Database) {
  const all = consumers(database, () => undefined);
  return {
    cancelled: consumerOf(all, orderCancelled).handle,
    orders: consumerOf(all, orderCreated, 'payment').handle,
    known: consumerOf(all, orderCreated, 'payment-orders').handle,
    users: consumerOf(all, userRegistered).handle,
  };
}

function commandsOf(database: Database) {
  const prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  onTestFinished(() => prisma.$disconnect());
  return paymentCommands(prisma);
}

/** So many users with so much money each. */
async function users(database: Database, count: number, amount: string): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  const commands = commandsOf(database);
  for (const userId of ids) {
    expect(await commands.topUp({ by: userId, userId, amount, idempotencyKey: 'start' })).toMatchObject({
      ok: true,
    });
  }
  return ids;
}

/** Fails unless every movement has two sides, every balance is their sum, and every payment has its own. */
async function expectSound(database: Database): Promise<void> {
  const { rows } = await database.query('select * from ledger_faults');
  expect(rows).toEqual([]);
  const { rows: sums } = await database.query<{ left: number }>(
    `select (select coalesce(sum(balance_cents), 0) from accounts)
       + (select coalesce(sum(amount_cents), 0) from house_entries) as left`,
  );
  expect(sums.map(({ left }) => Number(left))).toEqual([0]);
}

const balances = async (database: Database) =>
  Object.fromEntries(
    (
      await database.query<{ userId: string; cents: number }>(
        'select user_id as "userId", balance_cents as cents from accounts',
      )
    ).rows.map(({ userId, cents }) => [userId, cents]),
  );
const statuses = async (database: Database) =>
  Object.fromEntries(
    (
      await database.query<{ status: string; count: number }>(
        'select status, count(*) from payments group by status',
      )
    ).rows.map(({ status, count }) => [status, count]),
  );

describe('orders are charged', () => {
  test('one after the other within a batch, as far as the balance goes', async () => {
    const database = await serviceDatabase('payment');
    const [userId = ''] = await users(database, 1, '10.00');
    await handlers(database).orders([
      ordered(userId, 400),
      ordered(userId, 400),
      ordered(userId, 400),
      ordered(userId, 200),
    ]);
    expect(await balances(database)).toEqual({ [userId]: 0 });
    expect(await statuses(database)).toEqual({ SUCCESS: 3, INSUFFICIENT_FUNDS: 1 });
    const { rows } = await database.query(
      'select kind, amount_cents as amount, balance_after_cents as left from ledger_entries order by id',
    );
    expect(rows).toEqual([
      { kind: 'TOP_UP', amount: 1000, left: 1000 },
      { kind: 'CHARGE', amount: -400, left: 600 },
      { kind: 'CHARGE', amount: -400, left: 200 },
      { kind: 'CHARGE', amount: -200, left: 0 },
    ]);
    await expectSound(database);
  });

  test('once, however often they come: in one batch, in two, under one event id or another', async () => {
    const database = await serviceDatabase('payment');
    const [userId = ''] = await users(database, 1, '10.00');
    const { orders } = handlers(database);
    const event = ordered(userId, 300);
    const again = () => ordered(userId, 300, event.data.orderId);
    await orders([event, event, again()]);
    await orders([event]);
    await orders([again(), event, again()]);
    expect(await balances(database)).toEqual({ [userId]: 700 });
    const { rows } = await database.query('select count(*)::int as events from outbox');
    expect(rows).toEqual([{ events: 1 }]);
    await expectSound(database);
  });

  test('before their user is heard of: the account is opened, with nothing in it', async () => {
    const database = await serviceDatabase('payment');
    const { orders, users: onUsers } = handlers(database);
    const userId = randomUUID();
    await orders([ordered(userId, 1)]);
    await onUsers([eventOf(userRegistered, { userId }), eventOf(userRegistered, { userId })]);
    expect(await balances(database)).toEqual({ [userId]: 0 });
    expect(await statuses(database)).toEqual({ INSUFFICIENT_FUNDS: 1 });
  });

  test('with the same number of statements whatever the batch holds', async () => {
    const database = await serviceDatabase('payment');
    const ids = await users(database, 5, '5.00');
    const runs = [];
    for (const size of [1, 10, 100]) {
      const counted = counting(database);
      await handlers(counted.database).orders(
        Array.from({ length: size }, (_, index) => ordered(ids[index % 5] ?? '', 10)),
      );
      runs.push(counted.count());
    }
    expect(runs).toEqual([9, 9, 9]);
    await expectSound(database);
  });

  test('in batches of the same users and orders at once, each once, without deadlock', async () => {
    const database = await serviceDatabase('payment');
    const ids = [...(await users(database, 10, '1.00')), ...Array.from({ length: 10 }, () => randomUUID())];
    const events = ids.flatMap((userId) => Array.from({ length: 4 }, () => ordered(userId, 30)));
    const others = events.map(({ data }) => ordered(data.userId, 30, data.orderId));
    const { orders, users: onUsers } = handlers(database);
    await Promise.all([
      orders(events),
      orders(events.toReversed()),
      orders(others.toReversed()),
      orders(others.toSorted(() => Math.random() - 0.5)),
      onUsers(ids.toReversed().map((userId) => eventOf(userRegistered, { userId }))),
    ]);
    expect(await statuses(database)).toEqual({ SUCCESS: 30, INSUFFICIENT_FUNDS: 50 });
    expect(Object.values(await balances(database)).sort()).toEqual([
      ...Array(10).fill(0),
      ...Array(10).fill(10),
    ]);
    await expectSound(database);
  });

  test('while the account is topped up, and no cent is lost', async () => {
    const database = await serviceDatabase('payment');
    const [userId = ''] = await users(database, 1, '1.00');
    const commands = commandsOf(database);
    const { orders } = handlers(database);
    await Promise.all(
      Array.from({ length: 10 }, (_, index) => [
        orders([ordered(userId, 7), ordered(userId, 3)]),
        commands.topUp({ by: userId, userId, amount: '0.10', idempotencyKey: String(index) }),
      ]).flat(),
    );
    expect(await balances(database)).toEqual({ [userId]: 100 });
    await expectSound(database);
  });
});

test('a batch that fails takes nothing, and is charged when it comes again', async () => {
  const database = await serviceDatabase('payment');
  const [userId = ''] = await users(database, 1, '10.00');
  const { orders } = handlers(database);
  await database.query('alter table payments add constraint poison check (amount_cents <> 666)');
  const good = ordered(userId, 100);
  await expect(orders([good, ordered(userId, 666)])).rejects.toMatchObject({ constraint: 'poison' });
  expect(await balances(database)).toEqual({ [userId]: 1000 });
  await orders([good]);
  expect(await balances(database)).toEqual({ [userId]: 900 });
  await expectSound(database);
});

test('a balance has a limit, and a top-up past it is refused', async () => {
  const database = await serviceDatabase('payment');
  const [userId = ''] = await users(database, 1, '1.00');
  const account = (await lockAccounts(database.query, [userId])).get(userId) as LockedAccount;
  await database.transaction((tx) =>
    book(tx.query, [{ account, kind: 'TOP_UP', amountCents: 900_000_000_000_000 - 100, paymentId: null }]),
  );
  const refused = await commandsOf(database).topUp({
    by: userId,
    userId,
    amount: '0.01',
    idempotencyKey: 'more',
  });
  expect(refused).toMatchObject({ ok: false, code: 'BAD_USER_INPUT', field: 'amount' });
  await expectSound(database);
});

test('an order is known, and whose it is, before its charge is decided', async () => {
  const database = await serviceDatabase('payment');
  const { known, orders } = handlers(database);
  const userId = randomUUID();
  const orderId = randomUUID();
  const order = ordered(userId, 100, orderId);
  const read = () => readPayments(database)([{ id: orderId, after: null, limit: 1, known: false }]);
  expect(await read()).toEqual([undefined]);
  await known([order]);
  expect(await read()).toMatchObject([{ ownerId: userId, changes: [], ended: false }]);
  await orders([order]);
  expect(await read()).toMatchObject([
    { ownerId: userId, changes: [{ value: { orderId, status: 'INSUFFICIENT_FUNDS' } }], ended: true },
  ]);
});

describe('an order that is called off', () => {
  const cancelled = (orderId: string, userId: string) => eventOf(orderCancelled, { orderId, userId });

  test('after its charge is refunded once, however often that is heard', async () => {
    const database = await serviceDatabase('payment');
    const [userId = ''] = await users(database, 1, '10.00');
    const { orders, cancelled: onCancelled } = handlers(database);
    const order = ordered(userId, 300);
    const { orderId } = order.data;
    await orders([order, ordered(userId, 200)]);
    await onCancelled([cancelled(orderId, userId), cancelled(orderId, userId)]);
    await onCancelled([cancelled(orderId, userId)]);
    expect(await balances(database)).toEqual({ [userId]: 800 });
    expect(await statuses(database)).toEqual({ SUCCESS: 1, REFUNDED: 1 });
    const { rows } = await database.query(
      "select count(*)::int as told from outbox where topic = 'payment.refunded'",
    );
    expect(rows).toEqual([{ told: 1 }]);
    await expectSound(database);
  });

  test('before it is heard of is never charged, and who watches its payment is told that there is none', async () => {
    const database = await serviceDatabase('payment');
    const [userId = ''] = await users(database, 1, '10.00');
    const { orders, known, cancelled: onCancelled } = handlers(database);
    const order = ordered(userId, 300);
    const { orderId } = order.data;
    await onCancelled([cancelled(orderId, userId)]);
    await known([order]);
    await orders([order]);
    expect(await balances(database)).toEqual({ [userId]: 1000 });
    expect(await statuses(database)).toEqual({});
    expect(await readPayments(database)([{ id: orderId, after: null, limit: 1, known: true }])).toMatchObject(
      [{ ownerId: userId, changes: [], ended: true }],
    );
    await expectSound(database);
  });

  test('that could not be paid gives nothing back', async () => {
    const database = await serviceDatabase('payment');
    const [userId = ''] = await users(database, 1, '1.00');
    const { orders, cancelled: onCancelled } = handlers(database);
    const order = ordered(userId, 300);
    await orders([order]);
    await onCancelled([cancelled(order.data.orderId, userId)]);
    expect(await balances(database)).toEqual({ [userId]: 100 });
    expect(await statuses(database)).toEqual({ INSUFFICIENT_FUNDS: 1 });
    await expectSound(database);
  });

  test('while it is charged leaves the balance whole, without deadlock', async () => {
    const database = await serviceDatabase('payment');
    const ids = await users(database, 5, '100.00');
    const { orders, cancelled: onCancelled } = handlers(database);
    const events = Array.from({ length: 30 }, (_, index) => ordered(ids[index % 5] ?? '', 100));
    const cancels = events.map(({ data }) => cancelled(data.orderId, data.userId));
    await Promise.all([
      ...events.map((event) => orders([event])),
      ...cancels.map((event) => onCancelled([event])),
      orders(events.toReversed()),
      onCancelled(cancels.toReversed()),
    ]);
    expect(Object.values(await balances(database))).toEqual(ids.map(() => 10_000));
    await expectSound(database);
  });

  test('takes the same number of statements whatever the batch holds', async () => {
    const database = await serviceDatabase('payment');
    const [userId = ''] = await users(database, 1, '100.00');
    const runs = [];
    for (const size of [1, 10, 100]) {
      const events = Array.from({ length: size }, () => ordered(userId, 10));
      await handlers(database).orders(events);
      const counted = counting(database);
      await handlers(counted.database).cancelled(events.map(({ data }) => cancelled(data.orderId, userId)));
      runs.push(counted.count());
    }
    expect(runs).toEqual([7, 7, 7]);
    await expectSound(database);
  });
});

test('50 charges at once of an account with money for 20 succeed exactly 20 times', async () => {
  const database = await serviceDatabase('payment');
  const [userId = ''] = await users(database, 1, '20.00');
  const { orders } = handlers(database);
  await Promise.all(Array.from({ length: 50 }, () => orders([ordered(userId, 100)])));
  expect(await statuses(database)).toEqual({ SUCCESS: 20, INSUFFICIENT_FUNDS: 30 });
  expect(await balances(database)).toEqual({ [userId]: 0 });
  await expectSound(database);
});
