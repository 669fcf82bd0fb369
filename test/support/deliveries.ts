import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { DeliveryStatus } from '../../events/delivery.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { gate } from '../../platform/testing/gate.js';
import { until } from '../../platform/testing/until.js';
import { record } from '../../subgraphs/delivery/changes.js';
import { nextStep } from '../../subgraphs/delivery/domain.js';

/** Couriers are sent from here, each with an hour for its delivery. */
export const dispatching = {
  deadlineMs: 3_600_000,
  geography: { depot: { latitude: 52.52, longitude: 13.405 }, radius: 5_000 },
};

/** A delivery as its commands know it. */
export interface TestDelivery {
  deliveryId: string;
  orderId: string;
  userId: string;
  courierId: string;
}

/** Begins a delivery that a courier of its own, or the one given, brings. */
export async function beginDelivery(tx: Tx, courierId: string = randomUUID()): Promise<TestDelivery> {
  const delivery = { deliveryId: randomUUID(), orderId: randomUUID(), userId: randomUUID(), courierId };
  const { deliveryId, orderId, userId } = delivery;
  await tx.query('insert into couriers (id, name) values ($1, $2) on conflict do nothing', [
    courierId,
    'Anna',
  ]);
  await tx.query('insert into known_orders (order_id, user_id) values ($1, $2)', [orderId, userId]);
  await tx.query(
    `insert into deliveries (id, order_id, user_id, status, address, courier_id) values ($1, $2, $3, 'PENDING', 'Long Lane 1', $4)`,
    [deliveryId, orderId, userId, courierId],
  );
  const first = { sequence: 1, previous: null, status: 'PENDING', reason: null, by: 'system' } as const;
  await record(tx, [{ deliveryId, orderId, userId, courierId: null, courierUserId: null, ...first }]);
  return delivery;
}

/** Takes a delivery a step further, as its courier does; answers whether there was one. */
export async function stepDelivery(tx: Tx, delivery: TestDelivery): Promise<boolean> {
  const { deliveryId } = delivery;
  const { rows } = await tx.query<{ status: DeliveryStatus; sequence: number }>(
    'select status, sequence from deliveries where id = $1 for update',
    [deliveryId],
  );
  const { status: previous, sequence: last } = rows[0] ?? { status: 'DELIVERED', sequence: 0 };
  const status = nextStep(previous);
  if (status === undefined) return false;
  const sequence = last + 1;
  await tx.query('update deliveries set status = $2, sequence = $3 where id = $1', [
    deliveryId,
    status,
    sequence,
  ]);
  await record(tx, [
    { ...delivery, courierUserId: null, sequence, previous, status, reason: null, by: 'courier' },
  ]);
  return true;
}

/** A transaction that is held open. */
export interface Held {
  tx: Tx;
  xid: bigint;
  commit(): Promise<void>;
}

/** Does the work in a transaction, and holds it open until `commit`, or until the test ends. */
export async function holdTransaction(database: Database, work: (tx: Tx) => Promise<unknown>): Promise<Held> {
  const [began, ending] = [gate(), gate()];
  let mine: Pick<Held, 'tx' | 'xid'> | undefined;
  const over = database.transaction(async (tx) => {
    await work(tx);
    mine = { tx, xid: await numberOf(tx, 'pg_current_xact_id()') };
    began.resolve();
    await ending.promise;
  });
  const commit = async () => {
    ending.resolve();
    await over;
  };
  onTestFinished(() => commit().catch(() => undefined));
  await Promise.race([began.promise, over]);
  if (!mine) throw new Error('the transaction is over already');
  return { ...mine, commit };
}

/**
 * Waits until all transactions are over that have begun before now, or before `held`: others on this server, in
 * whatever database, hold up what is read of a feed.
 */
export async function settle(database: Database, held?: Held): Promise<void> {
  const target = held?.xid ?? (await numberOf(database, 'pg_snapshot_xmax(pg_current_snapshot())'));
  await until(
    'all older transactions are over',
    async () => (await numberOf(database, 'pg_snapshot_xmin(pg_current_snapshot())')) >= target,
  );
}

async function numberOf(tx: Tx, expression: string): Promise<bigint> {
  const { rows } = await tx.query<{ xid: string }>(`select ${expression}::text as xid`);
  return BigInt(rows[0]?.xid ?? 0);
}
