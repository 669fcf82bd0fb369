import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { DeliveryStatus } from '../../events/delivery.js';
import type { Result } from '../../platform/errors.js';
import type { Database } from '../../platform/postgres/database.js';
import { onlyCouriers } from '../../test/support/couriers.js';
import { beginDelivery, dispatching, stepDelivery } from '../../test/support/deliveries.js';
import { serviceDatabase } from '../../test/support/service.js';
import { courierCommands, ensureCouriers } from './couriers.js';
import { dispatchCommands } from './dispatch.js';
import { isFinal, transitions } from './domain.js';

const staff = 'staff';

async function hire(database: Database, count: number): Promise<{ id: string; userId: string }[]> {
  const couriers = Array.from({ length: count }, () => ({
    id: randomUUID(),
    name: 'Ben',
    userId: randomUUID(),
  }));
  await ensureCouriers(database, couriers);
  return couriers;
}

/** A delivery that waits for a courier. */
async function waiting(database: Database) {
  const delivery = await database.transaction((tx) => beginDelivery(tx));
  await database.query('update deliveries set courier_id = null where id = $1', [delivery.deliveryId]);
  await database.query('delete from couriers where id = $1', [delivery.courierId]);
  return delivery;
}

/** A delivery that stands so, with a courier of its own. */
async function standing(database: Database, status: DeliveryStatus) {
  const delivery = await database.transaction((tx) => beginDelivery(tx));
  const steps = ['PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED'].indexOf(status);
  for (let step = 0; step < steps; step += 1) await database.transaction((tx) => stepDelivery(tx, delivery));
  const userId = randomUUID();
  await database.query('update couriers set user_id = $2 where id = $1', [delivery.courierId, userId]);
  if (steps < 0) await dispatchCommands(database, dispatching).move(delivery.orderId, status, null, staff);
  return { ...delivery, courier: { userId } };
}

const stateOf = async (database: Database, orderId: string) =>
  (
    await database.query<{
      status: DeliveryStatus;
      courierId: string | null;
      last: DeliveryStatus;
      by: string;
    }>(
      `select d.status, d.courier_id as "courierId", c.status as last, c.by from deliveries d
       join delivery_changes c on c.delivery_id = d.id and c.sequence = d.sequence where d.order_id = $1`,
      [orderId],
    )
  ).rows[0];
const codeOf = (result: Result<unknown>) => (result.ok ? 'ok' : result.code);

describe('a delivery is given to a courier', () => {
  test('to the one that is named, or to the one that has been free longest', async () => {
    const database = await serviceDatabase('delivery');
    const { assign } = dispatchCommands(database, dispatching);
    const [first, second] = await hire(database, 2);
    await database.query(`update couriers set free_since = now() - interval '1 hour' where id = $1`, [
      second?.id,
    ]);
    const [one, two] = [await waiting(database), await waiting(database)];
    expect(await assign(one.orderId, null)).toEqual({ ok: true, value: one.deliveryId });
    expect(await assign(two.orderId, first?.id ?? '')).toEqual({ ok: true, value: two.deliveryId });
    expect(await assign(two.orderId, first?.id ?? '')).toEqual({ ok: true, value: two.deliveryId });
    expect(await stateOf(database, one.orderId)).toMatchObject({ status: 'PENDING', courierId: second?.id });
    expect(await stateOf(database, two.orderId)).toMatchObject({ status: 'PENDING', courierId: first?.id });
  });

  test('never to two, nor two to one: 100 calls at once for 10 couriers give each at most one', async () => {
    const database = await serviceDatabase('delivery');
    const couriers = await hire(database, 10);
    const deliveries = await Promise.all(Array.from({ length: 20 }, () => waiting(database)));
    const { assign } = dispatchCommands(database, dispatching);
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        assign(deliveries[n % 20]?.orderId ?? '', n % 3 === 0 ? null : (couriers[n % 10]?.id ?? '')),
      ),
    );
    for (const result of results) expect(['ok', 'CONFLICT']).toContain(codeOf(result));
    const { rows } = await database.query<{ couriers: number; deliveries: number }>(
      `select count(distinct courier_id)::int as couriers, count(*)::int as deliveries from deliveries
       where courier_id is not null`,
    );
    expect(rows).toEqual([{ couriers: 10, deliveries: 10 }]);
  });

  test('but not to one that has another, is off duty, or is not there; nor twice; nor at its end', async () => {
    const database = await serviceDatabase('delivery');
    const { assign } = dispatchCommands(database, dispatching);
    const [off] = await hire(database, 1);
    await courierCommands(database, dispatching.geography, onlyCouriers).setStatus(
      { id: off?.id ?? '' },
      'OFFLINE',
    );
    const [free, busy, done] = [
      await waiting(database),
      await standing(database, 'IN_TRANSIT'),
      await standing(database, 'DELIVERED'),
    ];
    expect(await assign(free.orderId, busy.courierId)).toMatchObject({ message: 'This courier is BUSY.' });
    expect(await assign(free.orderId, off?.id ?? '')).toMatchObject({ message: 'This courier is OFFLINE.' });
    expect(codeOf(await assign(free.orderId, randomUUID()))).toBe('NOT_FOUND');
    expect(codeOf(await assign(randomUUID(), null))).toBe('NOT_FOUND');
    expect(await assign(done.orderId, null)).toMatchObject({ code: 'INVALID_TRANSITION' });
    expect(codeOf(await assign(free.orderId, done.courierId))).toBe('ok');
    expect(codeOf(await assign(free.orderId, null))).toBe('CONFLICT');
    const last = await waiting(database);
    expect(await assign(last.orderId, null)).toMatchObject({
      code: 'CONFLICT',
      message: 'No courier is available.',
    });
  });

  test.each(['PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED', 'CANCELLED', 'FAILED'] as const)(
    'that has it already, when it is %s, as long as that one brings it',
    async (status) => {
      const database = await serviceDatabase('delivery');
      const { orderId, courierId } = await standing(database, status);
      const result = await dispatchCommands(database, dispatching).assign(orderId, courierId);
      expect(codeOf(result)).toBe(isFinal(status) ? 'INVALID_TRANSITION' : 'ok');
    },
  );
});

test.each(['PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY'] as const)(
  'a delivery that is %s is taken off its courier, who can be sent again',
  async (status) => {
    const database = await serviceDatabase('delivery');
    const { assign, unassign } = dispatchCommands(database, dispatching);
    const { orderId, courierId } = await standing(database, status);
    expect(codeOf(await unassign(orderId))).toBe('ok');
    expect(codeOf(await unassign(orderId))).toBe('ok');
    expect(await stateOf(database, orderId)).toMatchObject({
      ...{ status: 'PENDING', courierId: null, last: 'PENDING' },
      by: status === 'PENDING' ? 'system' : 'dispatcher',
    });
    expect(codeOf(await assign(orderId, courierId))).toBe('ok');
  },
);

const all = Object.keys(transitions) as DeliveryStatus[];

describe.each(all)('a delivery that is %s', (from) => {
  test.each(all)('becomes %s if that may be, and else says both', async (to) => {
    const database = await serviceDatabase('delivery');
    const { orderId, courierId } = await standing(database, from);
    const result = await dispatchCommands(database, dispatching).move(orderId, to, 'So it is', staff);
    if (!transitions[from].includes(to)) {
      expect(result).toEqual({
        ...{ ok: false, code: 'INVALID_TRANSITION' },
        message: `A delivery that is ${from} cannot become ${to}.`,
      });
      expect(await stateOf(database, orderId)).toMatchObject({ status: from });
      return;
    }
    expect(codeOf(result)).toBe('ok');
    expect(await stateOf(database, orderId)).toEqual({
      ...{ status: to, last: to, by: 'dispatcher', courierId: to === 'PENDING' ? null : courierId },
    });
    if (isFinal(to) || to === 'PENDING') {
      const next = await waiting(database);
      expect(codeOf(await dispatchCommands(database, dispatching).assign(next.orderId, courierId))).toBe(
        'ok',
      );
    }
  });
});

describe('a courier', () => {
  test('moves what it has along to the door, and nobody else’s', async () => {
    const database = await serviceDatabase('delivery');
    const { move } = dispatchCommands(database, dispatching);
    const [own, other] = [await standing(database, 'PENDING'), await standing(database, 'PENDING')];
    expect(codeOf(await move(other.orderId, 'IN_TRANSIT', null, own.courier))).toBe('NOT_FOUND');
    for (const status of ['IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED'] as const)
      expect(codeOf(await move(own.orderId, status, null, own.courier))).toBe('ok');
    expect(await stateOf(database, own.orderId)).toMatchObject({ status: 'DELIVERED', by: 'courier' });
  });

  test('gives a delivery back, or fails it, but does not call it off', async () => {
    const database = await serviceDatabase('delivery');
    const { move } = dispatchCommands(database, dispatching);
    const [one, two] = [await standing(database, 'IN_TRANSIT'), await standing(database, 'IN_TRANSIT')];
    expect(codeOf(await move(one.orderId, 'CANCELLED', null, one.courier))).toBe('FORBIDDEN');
    expect(codeOf(await move(one.orderId, 'PENDING', 'Flat tyre', one.courier))).toBe('ok');
    expect(codeOf(await move(one.orderId, 'IN_TRANSIT', null, one.courier))).toBe('NOT_FOUND');
    expect(codeOf(await move(two.orderId, 'FAILED', 'x'.repeat(501), two.courier))).toBe('BAD_USER_INPUT');
    expect(codeOf(await move(two.orderId, 'FAILED', 'Nobody there', two.courier))).toBe('ok');
  });

  test('nobody sets out with a delivery that has no courier', async () => {
    const database = await serviceDatabase('delivery');
    const { orderId } = await waiting(database);
    expect(
      codeOf(await dispatchCommands(database, dispatching).move(orderId, 'IN_TRANSIT', null, staff)),
    ).toBe('CONFLICT');
  });
});
