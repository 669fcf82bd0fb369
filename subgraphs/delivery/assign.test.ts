import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { orderCreated } from '../../events/order.js';
import { paymentCompleted } from '../../events/payment.js';
import { createLog } from '../../platform/log.js';
import type { Database } from '../../platform/postgres/database.js';
import { gate } from '../../platform/testing/gate.js';
import { until } from '../../platform/testing/until.js';
import { untold } from '../../test/support/couriers.js';
import { dispatching } from '../../test/support/deliveries.js';
import { consumerOf, eventOf, serviceDatabase } from '../../test/support/service.js';
import { assignCouriers } from './assign.js';
import { consumers } from './consumers.js';
import { ensureCouriers } from './couriers.js';
import { dispatchCommands } from './dispatch.js';
import { advanceDeliveries } from './simulator.js';
import { createBells, startAssigner, startSimulator } from './workers.js';

/** A database with so many free couriers and so many deliveries that wait; answers these, oldest first. */
async function waiting(options: {
  couriers: number;
  deliveries: number;
}): Promise<{ database: Database; ids: string[] }> {
  const database = await serviceDatabase('delivery');
  await ensureCouriers(
    database,
    Array.from({ length: options.couriers }, (_, index) => ({
      id: randomUUID(),
      name: `Courier ${index}`,
      userId: randomUUID(),
    })),
  );
  const all = consumers(database, dispatching.geography, untold);
  const orders = Array.from({ length: options.deliveries }, () => ({
    orderId: randomUUID(),
    userId: randomUUID(),
  }));
  await consumerOf(all, orderCreated).handle(
    orders.map((order) =>
      eventOf(orderCreated, { ...order, totalCents: 1, currency: 'EUR', deliveryAddress: 'Long Lane 1' }),
    ),
  );
  await consumerOf(all, paymentCompleted).handle(
    orders.map((order) =>
      eventOf(paymentCompleted, {
        ...order,
        paymentId: randomUUID(),
        status: 'SUCCESS',
        amountCents: 1,
        currency: 'EUR',
      }),
    ),
  );
  const { rows } = await database.query<{ id: string }>('select id from deliveries order by id');
  return { database, ids: rows.map(({ id }) => id) };
}

const active = `status in ('PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY')`;
const assigned = async (database: Database): Promise<string[]> =>
  (
    await database.query<{ id: string }>('select id from deliveries where courier_id is not null order by id')
  ).rows.map(({ id }) => id);
const waitsForLock = (database: Database) =>
  until('one waits for a lock', async () => {
    const { rows } = await database.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows.length > 0;
  });
const sum = (numbers: number[]): number => numbers.reduce((total, one) => total + one, 0);

describe('couriers that are assigned', () => {
  test('by twenty at once go to the oldest deliveries, one each', async () => {
    const { database, ids } = await waiting({ couriers: 3, deliveries: 50 });
    const given = await Promise.all(Array.from({ length: 20 }, () => assignCouriers(database, dispatching)));
    expect(sum(given)).toBe(3);
    expect(await assigned(database)).toEqual(ids.slice(0, 3));
    const { rows } = await database.query(
      `select count(distinct courier_id)::int as couriers from deliveries where ${active} and courier_id is not null`,
    );
    expect(rows).toEqual([{ couriers: 3 }]);
  });

  test('while others are moved take the deliveries in their order, and never two at a time', async () => {
    const { database, ids } = await waiting({ couriers: 3, deliveries: 50 });
    for (let round = 0; (await assigned(database)).length < 50; round += 1) {
      expect(round).toBeLessThan(200);
      await Promise.all([
        ...Array.from({ length: 5 }, () => assignCouriers(database, dispatching)),
        ...Array.from({ length: 3 }, () => advanceDeliveries(database, 0, dispatching.geography)),
      ]);
      const given = await assigned(database);
      expect(given).toEqual(ids.slice(0, given.length));
      const { rows } = await database.query(
        `select courier_id from deliveries where ${active} and courier_id is not null group by 1 having count(*) > 1`,
      );
      expect(rows).toEqual([]);
    }
  });

  test('wait for an assigner that has not committed, also where the oldest delivery is another one by then', async () => {
    const { database, ids } = await waiting({ couriers: 2, deliveries: 1 });
    const slow = gate();
    const wrote = gate();
    const holding: Database = {
      ...database,
      transaction: (work) =>
        database.transaction(async (tx) => {
          const result = await work(tx);
          wrote.resolve();
          await slow.promise;
          return result;
        }),
    };
    const first = assignCouriers(holding, dispatching);
    await wrote.promise;
    // Of two transactions that make deliveries, the one that commits last may have the smaller id.
    const older = '00000000-0000-7000-8000-000000000001';
    await database.query(
      `insert into known_orders (order_id, user_id) values ('${older}', '${older}');
       insert into deliveries (id, order_id, user_id, status, address) values ('${older}', '${older}', '${older}', 'PENDING', 'a');
       insert into delivery_changes (delivery_id, sequence, status, by) values ('${older}', 1, 'PENDING', 'system')`,
    );
    const second = assignCouriers(database, dispatching);
    await waitsForLock(database);
    slow.resolve();
    expect(await Promise.all([first, second])).toEqual([1, 1]);
    expect(await assigned(database)).toEqual([older, ...ids]);
  });

  test('are those who have been free longest', async () => {
    const { database } = await waiting({ couriers: 3, deliveries: 2 });
    const { rows } = await database.query<{ id: string }>(
      `update couriers set free_since = now() - (case name when 'Courier 2' then 3 when 'Courier 0' then 2 else 1 end) * interval '1 min' returning id, name`,
    );
    expect(rows).toHaveLength(3);
    await assignCouriers(database, dispatching);
    const { rows: names } = await database.query(
      'select c.name from deliveries d join couriers c on c.id = d.courier_id order by d.id',
    );
    expect(names).toEqual([{ name: 'Courier 2' }, { name: 'Courier 0' }]);
  });

  test('are the nearest to the depot of those who have just said where they are', async () => {
    const { database, ids } = await waiting({ couriers: 5, deliveries: 4 });
    const { latitude, longitude } = dispatching.geography.depot;
    // By number: how far east of the depot, how long ago that was said, and how long each has been free.
    await database.query(
      `update couriers k set latitude = $1, longitude = $2 + east, located_at = now() - ago * interval '1 min',
         free_since = now() - free * interval '1 min'
       from (values ('0', 0.02, 1, 9), ('1', -0.01, 1, 1), ('2', 0.001, 60, 5)) as n (name, east, ago, free)
       where k.name = 'Courier ' || n.name`,
      [latitude, longitude],
    );
    await database.query(
      `update couriers set free_since = now() - interval '7 min' where name = 'Courier 3'`,
    );
    expect(await assignCouriers(database, dispatching)).toBe(4);
    const { rows } = await database.query<{ id: string; name: string }>(
      'select d.id, c.name from deliveries d join couriers c on c.id = d.courier_id order by d.id',
    );
    expect(rows.map(({ id }) => id)).toEqual(ids);
    expect(rows.map(({ name }) => name)).toEqual(['Courier 1', 'Courier 0', 'Courier 3', 'Courier 2']);
  });

  test('are others than the one that a delivery was taken off, if there are, however near that one is', async () => {
    const { database, ids } = await waiting({ couriers: 3, deliveries: 2 });
    const { latitude, longitude } = dispatching.geography.depot;
    await database.query(
      `update couriers set latitude = $1, longitude = $2, located_at = now() where name = 'Courier 0'`,
      [latitude, longitude],
    );
    await database.query(
      `update couriers set free_since = now() - interval '1 min' where name = 'Courier 1'`,
    );
    const { unassign, assign } = dispatchCommands(database, dispatching);
    const courierOf = async (id: string | undefined) =>
      (
        await database.query<{ name: string; orderId: string }>(
          `select c.name, d.order_id as "orderId" from deliveries d left join couriers c on c.id = d.courier_id
           where d.id = $1`,
          [id],
        )
      ).rows[0];
    await assignCouriers(database, dispatching);
    const first = await courierOf(ids[0]);
    expect(first?.name).toBe('Courier 0');
    await unassign(first?.orderId ?? '');
    expect(await assignCouriers(database, dispatching)).toBe(1);
    expect((await courierOf(ids[0]))?.name).toBe('Courier 2');
    await unassign(first?.orderId ?? '');
    expect(await assign(first?.orderId ?? '', null)).toMatchObject({ ok: true });
    expect((await courierOf(ids[0]))?.name).toBe('Courier 0');
    // And that very one where nobody else is free.
    await database.query(`update couriers set off_duty = true where name = 'Courier 2'`);
    await unassign(first?.orderId ?? '');
    expect(await assignCouriers(database, dispatching)).toBe(1);
    expect((await courierOf(ids[0]))?.name).toBe('Courier 0');
  });

  test('are none that has just gone off duty', async () => {
    const { database } = await waiting({ couriers: 1, deliveries: 1 });
    const [said, held] = [gate(), gate()];
    const going = database.transaction(async (tx) => {
      await tx.query('update couriers set off_duty = true');
      said.resolve();
      await held.promise;
    });
    await said.promise;
    const assigning = assignCouriers(database, dispatching);
    await waitsForLock(database);
    held.resolve();
    await going;
    expect(await assigning).toBe(0);
  });

  test('may be as near as they like to a depot on a line of the map', async () => {
    const { database } = await waiting({ couriers: 2, deliveries: 1 });
    await database.query(`update couriers set latitude = 51.48, longitude = 1e-200, located_at = now()`);
    const geography = { depot: { latitude: 51.48, longitude: 0 }, radius: 5_000 };
    expect(await assignCouriers(database, { ...dispatching, geography })).toBe(1);
  });

  test('leave no change and no event: nothing of the status has moved', async () => {
    const { database } = await waiting({ couriers: 1, deliveries: 1 });
    await database.query('delete from outbox');
    expect(await assignCouriers(database, dispatching)).toBe(1);
    const { rows } = await database.query(
      'select d.status, d.sequence, (select count(*)::int from outbox) as events from deliveries d',
    );
    expect(rows).toEqual([{ status: 'PENDING', sequence: 1, events: 0 }]);
    expect(await assignCouriers(database, dispatching)).toBe(0);
  });
});

describe('deliveries that are moved along', () => {
  test('by ten at once take one step each', async () => {
    const { database, ids } = await waiting({ couriers: 30, deliveries: 30 });
    await assignCouriers(database, dispatching);
    await database.query(`update deliveries set updated_at = now() - interval '1 hour'`);
    const moved = await Promise.all(
      Array.from({ length: 10 }, () => advanceDeliveries(database, 60_000, dispatching.geography)),
    );
    expect(sum(moved)).toBe(ids.length);
    const { rows } = await database.query(
      'select status, sequence, count(*)::int as deliveries from deliveries group by 1, 2',
    );
    expect(rows).toEqual([{ status: 'IN_TRANSIT', sequence: 2, deliveries: 30 }]);
  });

  test('wait until they have stood still for long enough, and for a courier', async () => {
    const { database } = await waiting({ couriers: 1, deliveries: 2 });
    await assignCouriers(database, dispatching);
    expect(await advanceDeliveries(database, 60_000, dispatching.geography)).toBe(0);
    expect(await advanceDeliveries(database, 0, dispatching.geography)).toBe(1);
    const { rows } = await database.query('select status from deliveries where courier_id is null');
    expect(rows).toEqual([{ status: 'PENDING' }]);
  });

  test('by two simulators and two assigners at once go each through every step once', async () => {
    const { database } = await waiting({ couriers: 5, deliveries: 30 });
    const log = createLog({ level: 'silent', format: 'json', app: 'test' });
    const bells = [createBells(), createBells()];
    const workers = bells.flatMap((own) => [
      startAssigner(database, own, dispatching, log),
      startSimulator(database, own, { stepMs: 1, geography: dispatching.geography, log }),
    ]);
    onTestFinished(async () => void (await Promise.all(workers.map((worker) => worker.stop()))));
    await until('all are delivered', async () => {
      // What the events do in the whole system: a courier has become free.
      for (const { assign } of bells) assign.ring();
      const { rows } = await database.query(`select from deliveries where status <> 'DELIVERED'`);
      return rows.length === 0;
    });
    const { rows } = await database.query(
      `select array_agg(status order by sequence) as statuses, array_agg(by order by sequence) as movers from delivery_changes group by delivery_id`,
    );
    expect(rows).toHaveLength(30);
    for (const row of rows) {
      expect(row).toEqual({
        statuses: ['PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED'],
        movers: ['system', 'courier', 'courier', 'courier'],
      });
    }
    const { rows: events } = await database.query(
      `select count(*)::int as events from outbox where topic = 'delivery.status.updated'`,
    );
    expect(events).toEqual([{ events: 120 }]);
  });
});
