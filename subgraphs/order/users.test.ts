import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { userDeleted, userUpdated } from '../../events/user.js';
import { createLocalStore } from '../../platform/cache/store.js';
import { ok, type Result, refuse, unwrap } from '../../platform/errors.js';
import type { Database } from '../../platform/postgres/database.js';
import { prismaOptions } from '../../platform/postgres/prisma.js';
import { silent } from '../../platform/testing/log.js';
import { erased } from '../../platform/text.js';
import { consumerOf, eventOf, serviceDatabase } from '../../test/support/service.js';
import { type OrderCommands, orderCommands } from './commands.js';
import { consumers } from './consumers.js';
import { PrismaClient } from './generated/prisma/client.js';
import { createProducts } from './reads.js';
import { eraseOrders } from './users.js';

type Answer = Result<{ sequence: number | null }>;

/** An order service whose delivery service answers so. */
async function open(answer: () => Answer = () => ok({ sequence: null })) {
  const database = await serviceDatabase('order');
  const prisma = new PrismaClient(prismaOptions(database));
  onTestFinished(() => prisma.$disconnect());
  const commands = orderCommands(database, prisma, { ask: async () => answer() });
  const productId = randomUUID();
  await commands.ensureProducts([{ id: productId, name: 'Tea', description: 'Green', priceCents: 200 }]);
  const order = (userId: string) =>
    commands.createOrder(userId, {
      ...{ deliveryAddress: 'Long Lane 1', idempotencyKey: randomUUID() },
      items: [{ productId, quantity: 1, price: '2.00' }],
    });
  const all = consumers(database, createProducts(database, createLocalStore()), () => undefined);
  const remove = (userId: string, rights = 2) =>
    consumerOf(all, userDeleted).handle([eventOf(userDeleted, { userId, rights })]);
  const update = (userId: string, rights: number) =>
    consumerOf(all, userUpdated).handle([
      eventOf(userUpdated, { userId, rights, version: rights, role: 'COURIER' }),
    ]);
  return { database, commands, order, remove, update };
}

const ordersOf = async (database: Database, userId: string) =>
  (
    await database.query<{ status: string; address: string }>(
      'select status, delivery_address as address from orders where user_id = $1 order by id',
      [userId],
    )
  ).rows;
const tellsOf = async (database: Database, topic: string) =>
  (await database.query('select from outbox where topic = $1', [topic])).rowCount;
const erase = (database: Database, commands: OrderCommands) => eraseOrders(database, commands, silent);

test('a deleted user orders nothing more, whatever comes late; others do', async () => {
  const { order, remove, update } = await open();
  const userId = randomUUID();
  await remove(userId);
  await update(userId, 1);
  expect(await order(userId)).toMatchObject({ ok: false, code: 'UNAUTHENTICATED' });
  await update(userId, 3);
  expect(await order(randomUUID())).toMatchObject({ ok: true });
});

test('open orders are called off, then what is personal is gone, told once, and there is nothing to come back for', async () => {
  const { database, commands, order, remove } = await open();
  const [userId, other] = [randomUUID(), randomUUID()];
  for (const id of [userId, userId, other]) unwrap(await order(id));
  await remove(userId);
  await Promise.all([erase(database, commands), erase(database, commands)]);
  expect(await ordersOf(database, userId)).toEqual(Array(2).fill({ status: 'CANCELLED', address: erased }));
  expect(await ordersOf(database, other)).toEqual([{ status: 'PENDING', address: 'Long Lane 1' }]);
  expect(await tellsOf(database, 'order.erased')).toBe(2);
  expect(await tellsOf(database, 'order.cancelled')).toBe(2);
  const { rows } = await database.query('select from known_users where erased_at is null');
  expect(rows).toEqual([]);
  const { rowCount } = await database.query('select from idempotency_keys where user_id = $1', [userId]);
  expect(rowCount).toBe(0);
});

test('an order that cannot be called off keeps its address until it can no longer change', async () => {
  const refusal = refuse(
    'INVALID_TRANSITION',
    'A delivery that is OUT_FOR_DELIVERY cannot become CANCELLED.',
  );
  const answers: Answer[] = [refuse('SERVICE_UNAVAILABLE', 'It is away.'), refusal];
  const { database, commands, order, remove } = await open(() => answers.shift() ?? ok({ sequence: null }));
  const userId = randomUUID();
  unwrap(await order(userId));
  await remove(userId);
  for (const status of ['PENDING', 'PENDING', 'CANCELLED']) {
    await erase(database, commands);
    const address = status === 'PENDING' ? 'Long Lane 1' : erased;
    expect(await ordersOf(database, userId)).toEqual([{ status, address }]);
  }
});

test('of orders that are placed while their user is deleted each is refused or called off', async () => {
  const { database, commands, order, remove } = await open();
  const userId = randomUUID();
  const placed = Array.from({ length: 8 }, () => order(userId));
  const results = await Promise.all([...placed, remove(userId)]);
  await erase(database, commands);
  const taken = results.filter((result) => result?.ok).length;
  expect(await ordersOf(database, userId)).toEqual(
    Array(taken).fill({ status: 'CANCELLED', address: erased }),
  );
});
