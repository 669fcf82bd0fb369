import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Database } from '../../platform/postgres/database.js';
import { onlyCouriers } from '../../test/support/couriers.js';
import { beginDelivery, dispatching, stepDelivery } from '../../test/support/deliveries.js';
import { serviceDatabase } from '../../test/support/service.js';
import { courierCommands } from './couriers.js';
import { dispatchCommands } from './dispatch.js';
import { between, distance, doorOf, type Place } from './geography.js';
import { report } from './positions.js';
import { advanceDeliveries, walkCouriers } from './simulator.js';

const { geography } = dispatching;
const door = doorOf('Long Lane 1', geography);

/** A courier with an account and a delivery after so many steps. */
async function bringing(database: Database, steps: number) {
  const delivery = await database.transaction((tx) => beginDelivery(tx));
  const account = randomUUID();
  await database.query('update couriers set user_id = $2 where id = $1', [delivery.courierId, account]);
  for (let step = 0; step < steps; step += 1) await database.transaction((tx) => stepDelivery(tx, delivery));
  return { ...delivery, account };
}

const secondsLeft = async (database: Database, deliveryId: string): Promise<number | null> =>
  (
    await database.query<{ left: number | null }>(
      'select extract(epoch from estimated_at - now())::float8 as left from deliveries where id = $1',
      [deliveryId],
    )
  ).rows[0]?.left ?? null;

const events = async (database: Database) =>
  (
    await database.query<{ key: string; data: Record<string, unknown> }>(
      `select key, value::json->'data' as data from outbox where topic = 'courier.location.updated' order by id`,
    )
  ).rows;

describe('a courier that says where it is', () => {
  test('renews the estimate of what it brings, and no status, time or history of it', async () => {
    const database = await serviceDatabase('delivery');
    const { deliveryId, orderId, userId, courierId, account } = await bringing(database, 1);
    const { report: say } = courierCommands(database, geography, onlyCouriers);
    const state = () => database.query('select status, sequence, updated_at from deliveries');
    const before = (await state()).rows;
    expect(await say(account, between(geography.depot, door, 0.5))).toEqual({ ok: true, value: courierId });
    const half = await secondsLeft(database, deliveryId);
    expect(await say(account, between(geography.depot, door, 0.9))).toMatchObject({ ok: true });
    const close = await secondsLeft(database, deliveryId);
    expect(close).toBeGreaterThan(0);
    expect(half).toBeGreaterThan((close ?? 0) * 2);
    expect((await state()).rows).toEqual(before);
    expect(await events(database)).toMatchObject([
      { key: userId, data: { courierId, orderId, userId, estimatedAt: expect.any(String) } },
      { key: userId, data: { courierId, orderId, userId } },
    ]);
  });

  test('and brings nothing tells of no order', async () => {
    const database = await serviceDatabase('delivery');
    const { courierId, account, orderId } = await bringing(database, 0);
    await dispatchCommands(database, dispatching).unassign(orderId);
    await courierCommands(database, geography, onlyCouriers).report(account, door);
    expect(await events(database)).toMatchObject([
      { key: courierId, data: { courierId, ...door, orderId: null, userId: null, estimatedAt: null } },
    ]);
  });

  test('with others at once waits for nobody in a circle', async () => {
    const database = await serviceDatabase('delivery');
    const couriers = await Promise.all(Array.from({ length: 20 }, () => bringing(database, 0)));
    const places = couriers.map(({ courierId }) => ({ courierId, ...door }));
    await Promise.all([
      ...Array.from({ length: 6 }, (_, turn) =>
        database.transaction((tx) => report(tx, turn % 2 ? places : places.toReversed(), geography)),
      ),
      ...Array.from({ length: 3 }, () => advanceDeliveries(database, 0, geography)),
      ...couriers.map(({ account }) =>
        courierCommands(database, geography, onlyCouriers).report(account, door),
      ),
    ]);
    const { rows } = await database.query(
      'select count(*)::int from couriers where latitude = $1 and longitude = $2',
      [door.latitude, door.longitude],
    );
    expect(rows).toEqual([{ count: 20 }]);
  });
});

test('a delivery that is taken off its courier is expected no more, and again when it is given to another', async () => {
  const database = await serviceDatabase('delivery');
  const { deliveryId, orderId, account } = await bringing(database, 1);
  await courierCommands(database, geography, onlyCouriers).report(account, door);
  const { assign, move } = dispatchCommands(database, dispatching);
  expect(await secondsLeft(database, deliveryId)).not.toBeNull();
  await move(orderId, 'PENDING', null, { userId: account });
  expect(await secondsLeft(database, deliveryId)).toBeNull();
  await assign(orderId, null);
  const far = await secondsLeft(database, deliveryId);
  expect(far).toBeGreaterThan(120);
  // Where it was long ago says nothing: it may be at the depot by now.
  await database.query(`update couriers set located_at = now() - interval '1 hour'`);
  await move(orderId, 'PENDING', null, 'staff').then(() => move(orderId, 'IN_TRANSIT', null, 'staff'));
  expect(await secondsLeft(database, deliveryId)).toBeGreaterThan(0);
  expect(await secondsLeft(database, deliveryId)).toBeLessThan((far ?? 0) - 120);
});

describe('couriers of the simulator', () => {
  const places = async (database: Database) =>
    (await database.query<Place>('select latitude, longitude from couriers order by id')).rows;
  /** As if the last step had been so many ms ago. */
  const since = (database: Database, ms: number) =>
    database.query(`update deliveries set updated_at = now() - $1 * interval '1 ms'`, [ms]);

  test('go from the depot to the door, as far as the time tells', async () => {
    const database = await serviceDatabase('delivery');
    const delivery = await bringing(database, 0);
    const parts: number[] = [];
    for (const [steps, ms] of [
      [0, 0],
      [1, 5_000],
      [0, 10_000],
      [0, 60_000],
      [1, 10_000],
    ] as const) {
      for (let step = 0; step < steps; step += 1)
        await database.transaction((tx) => stepDelivery(tx, delivery));
      await since(database, ms);
      expect(await walkCouriers(database, { stepMs: 10_000, everyMs: 0 }, geography)).toBe(1);
      const [at] = await places(database);
      parts.push(distance(geography.depot, at as Place) / distance(geography.depot, door));
    }
    expect(parts.map((part) => Math.round(part * 100) / 100)).toEqual([0, 0.4, 0.8, 0.8, 1]);
  });

  test('are silent for a while, and those who bring nothing for good', async () => {
    const database = await serviceDatabase('delivery');
    await bringing(database, 0);
    const idle = await bringing(database, 0);
    await dispatchCommands(database, dispatching).unassign(idle.orderId);
    const often = { stepMs: 10_000, everyMs: 60_000 };
    expect(await walkCouriers(database, often, geography)).toBe(1);
    expect(await walkCouriers(database, often, geography)).toBe(0);
    await database.query(`update couriers set located_at = located_at - interval '1 hour'`);
    const counts = await Promise.all([1, 2, 3].map(() => walkCouriers(database, often, geography)));
    expect(counts.toSorted()).toEqual([0, 0, 1]);
  });
});
