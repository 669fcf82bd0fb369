import { describe, expect, test } from 'vitest';
import type { DeliveryStatus } from '../../events/delivery.js';
import type { Database } from '../../platform/postgres/database.js';
import {
  beginDelivery,
  dispatching,
  stepDelivery,
  type TestDelivery,
} from '../../test/support/deliveries.js';
import { serviceDatabase } from '../../test/support/service.js';
import { assignCouriers } from './assign.js';
import { releaseOverdue } from './deadlines.js';
import { decideOverdue } from './domain.js';

/** A delivery after so many steps, whose deadline is so many ms from now. */
async function due(database: Database, steps: number, inMs = -1): Promise<TestDelivery> {
  const delivery = await database.transaction((tx) => beginDelivery(tx));
  for (let step = 0; step < steps; step += 1) await database.transaction((tx) => stepDelivery(tx, delivery));
  await database.query(`update deliveries set deadline = now() + $2 * interval '1 ms' where id = $1`, [
    delivery.deliveryId,
    inMs,
  ]);
  return delivery;
}

const stateOf = async (database: Database, { deliveryId }: TestDelivery) =>
  (
    await database.query<{
      status: DeliveryStatus;
      courierId: string | null;
      attempts: number;
      deadline: Date | null;
      history: string[];
    }>(
      `select status, courier_id as "courierId", attempts, deadline, (
         select array_agg(concat_ws('/', status, by, reason) order by sequence) from delivery_changes where delivery_id = d.id
       ) as history from deliveries d where id = $1`,
      [deliveryId],
    )
  ).rows[0];

test('the last attempt is the one that fails', () => {
  const delivery = { status: 'IN_TRANSIT', courierId: 'c' } as const;
  const statusAfter = (attempts: number, most: number) =>
    decideOverdue({ ...delivery, attempts }, most).status;
  expect([0, 1, 2, 3].map((attempts) => statusAfter(attempts, 3))).toEqual([
    ...['PENDING', 'PENDING', 'FAILED', 'FAILED'],
  ]);
  expect(statusAfter(0, 1)).toBe('FAILED');
});

describe('a delivery whose deadline has passed', () => {
  test.each([
    ['PENDING', 0, []],
    ['IN_TRANSIT', 1, ['PENDING/system/The deadline has passed.']],
    ['OUT_FOR_DELIVERY', 2, ['PENDING/system/The deadline has passed.']],
  ])('that is %s waits for another courier, and its own is free', async (_status, steps, change) => {
    const database = await serviceDatabase('delivery');
    const delivery = await due(database, steps);
    expect(await releaseOverdue(database, 3, dispatching)).toBe(1);
    const state = await stateOf(database, delivery);
    expect(state).toMatchObject({ status: 'PENDING', courierId: null, attempts: 1, deadline: null });
    expect(state?.history.slice(steps + 1)).toEqual(change);
    expect(await assignCouriers(database, dispatching)).toBe(1);
    const again = await stateOf(database, delivery);
    expect(again).toMatchObject({ courierId: delivery.courierId, attempts: 1 });
    expect(again?.deadline?.getTime()).toBeGreaterThan(Date.now());
    expect(await releaseOverdue(database, 3, dispatching)).toBe(0);
  });

  test('for the last time fails, which its order is told of, and its courier is free', async () => {
    const database = await serviceDatabase('delivery');
    const delivery = await due(database, 1);
    await database.query('update deliveries set attempts = 2');
    expect(await releaseOverdue(database, 3, dispatching)).toBe(1);
    expect(await stateOf(database, delivery)).toMatchObject({
      ...{ status: 'FAILED', attempts: 3 },
      history: ['PENDING/system', 'IN_TRANSIT/courier', 'FAILED/system/The deadline has passed.'],
    });
    const { rows } = await database.query(
      `select value::json->'data'->>'status' as status from outbox where topic = 'delivery.status.updated' order by id desc limit 1`,
    );
    expect(rows).toEqual([{ status: 'FAILED' }]);
    const waiting = await due(database, 0);
    await database.query('update deliveries set courier_id = null where id = $1', [waiting.deliveryId]);
    await database.query('delete from couriers where id = $1', [waiting.courierId]);
    expect(await assignCouriers(database, dispatching)).toBe(1);
  });

  test('has its time from now on where it has no deadline, and is released after it', async () => {
    const database = await serviceDatabase('delivery');
    const delivery = await due(database, 1);
    await database.query('update deliveries set deadline = null');
    expect(await releaseOverdue(database, 3, dispatching)).toBe(0);
    const state = await stateOf(database, delivery);
    expect(state?.deadline?.getTime()).toBeGreaterThan(Date.now() + dispatching.deadlineMs - 60_000);
  });

  test('is released once, however many look, and those that have time are left alone', async () => {
    const database = await serviceDatabase('delivery');
    const late = await Promise.all(Array.from({ length: 250 }, () => due(database, 1)));
    const inTime = await due(database, 1, 3_600_000);
    const done = await due(database, 3);
    let released = 0;
    for (let more = true; more; ) {
      const counts = await Promise.all([1, 2, 3, 4].map(() => releaseOverdue(database, 3, dispatching)));
      released += counts.reduce((sum, count) => sum + count, 0);
      more = counts.some((count) => count > 0);
    }
    expect(released).toBe(late.length);
    for (const delivery of late) expect(await stateOf(database, delivery)).toMatchObject({ attempts: 1 });
    expect(await stateOf(database, inTime)).toMatchObject({ status: 'IN_TRANSIT', attempts: 0 });
    expect(await stateOf(database, done)).toMatchObject({ status: 'DELIVERED', attempts: 0 });
  });
});
