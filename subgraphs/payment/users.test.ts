import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { orderCancelled, orderCreated } from '../../events/order.js';
import { userDeleted, userRegistered } from '../../events/user.js';
import { prismaOptions } from '../../platform/postgres/prisma.js';
import { consumerOf, eventOf, serviceDatabase } from '../../test/support/service.js';
import { paymentCommands } from './commands.js';
import { consumers } from './consumers.js';
import { PrismaClient } from './generated/prisma/client.js';

async function open() {
  const database = await serviceDatabase('payment');
  const prisma = new PrismaClient(prismaOptions(database));
  onTestFinished(() => prisma.$disconnect());
  const all = consumers(database, () => undefined);
  const userId = randomUUID();
  const { topUp } = paymentCommands(prisma);
  return {
    database,
    userId,
    all,
    add: (by: string) => topUp({ by, userId, amount: '5.00', idempotencyKey: randomUUID() }),
    remove: () => consumerOf(all, userDeleted).handle([eventOf(userDeleted, { userId, rights: 2 })]),
  };
}

test('nobody adds to the account of a deleted user; the ledger stays, and what was charged comes back', async () => {
  const { database, userId, all, add, remove } = await open();
  expect(await add(userId)).toMatchObject({ ok: true });
  const order = { orderId: randomUUID(), userId };
  await consumerOf(all, orderCreated, 'payment').handle([
    eventOf(orderCreated, { ...order, totalCents: 200, currency: 'EUR', deliveryAddress: 'Long Lane 1' }),
  ]);
  await remove();
  for (const by of [userId, randomUUID()])
    expect(await add(by)).toMatchObject({ ok: false, code: 'CONFLICT', field: 'userId' });
  await consumerOf(all, orderCancelled).handle([eventOf(orderCancelled, order)]);
  const { rows } = await database.query('select balance_cents as balance, entries from accounts');
  expect(rows).toEqual([{ balance: 500, entries: 3 }]);
  // What they called their requests is theirs.
  expect((await database.query('select from idempotency_keys')).rowCount).toBe(0);
});

test('an account whose user was deleted before it was heard of is closed from the first', async () => {
  const { database, userId, all, add, remove } = await open();
  await remove();
  await consumerOf(all, userRegistered).handle([eventOf(userRegistered, { userId })]);
  expect(await add(randomUUID())).toMatchObject({ code: 'CONFLICT' });
  expect((await database.query('select from accounts')).rowCount).toBe(1);
});
