import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { migrate, migrateDown } from '../../platform/migrate.js';
import type { Tx } from '../../platform/postgres/database.js';
import { projectPath } from '../../platform/root.js';
import {
  beginDelivery,
  type Held,
  holdTransaction,
  settle,
  stepDelivery,
  type TestDelivery,
} from '../../test/support/deliveries.js';
import { serviceDatabase } from '../../test/support/service.js';
import { type FeedPosition, filterId, readFeed } from './feed.js';

const any = { status: null, courierId: null };

/** Deliveries by a letter each, and one who reads their feed a page at a time, as a live source does. */
async function openFeed() {
  const database = await serviceDatabase('delivery');
  const deliveries = new Map<string, TestDelivery>();
  const letters = new Map<string, string>();
  let held: Held | undefined;
  const of = (letter: string): TestDelivery => {
    const delivery = deliveries.get(letter);
    if (!delivery) throw new Error(`there is no delivery ${letter}`);
    return delivery;
  };
  const changes = (tx: Tx) => ({
    async begin(letter: string, courierId?: string): Promise<void> {
      const delivery = await beginDelivery(tx, courierId);
      deliveries.set(letter, delivery);
      letters.set(delivery.deliveryId, letter);
    },
    step: async (letter: string) => void (await stepDelivery(tx, of(letter))),
  });
  const reader = (filter: Parameters<typeof filterId>[0] = any) => {
    let after: FeedPosition | null = null;
    return async (limit = 100): Promise<{ changes: string[]; more: boolean; unsettled: boolean }> => {
      await settle(database, held);
      const watch = { id: filterId(filter), after, limit, known: after !== null };
      const [reading] = await readFeed(database)([watch]);
      if (!reading) throw new Error('a feed is always there');
      after = reading.position;
      const { more, unsettled = false } = reading;
      return {
        changes: reading.changes.map(({ value }) => `${letters.get(value.deliveryId)} ${value.status}`),
        more,
        unsettled,
      };
    };
  };
  return {
    database,
    of,
    reader,
    changes,
    once: <T>(work: (now: ReturnType<typeof changes>) => Promise<T>) =>
      database.transaction((tx) => work(changes(tx))),
    /** Holds a transaction open; what is read meanwhile is read when all that are older are over. */
    async hold(work: (now: ReturnType<typeof changes>) => Promise<void>): Promise<Held> {
      const mine = await holdTransaction(database, (tx) => work(changes(tx)));
      held = mine;
      return {
        ...mine,
        async commit() {
          held = undefined;
          await mine.commit();
        },
      };
    },
  };
}

const settled = (...changes: string[]) => ({ changes, more: false, unsettled: false });

test('a feed begins with the open deliveries, oldest change first, and goes on with every change', async () => {
  const { once, reader } = await openFeed();
  for (const letter of ['a', 'b', 'c']) await once(({ begin }) => begin(letter));
  for (const letter of ['a', 'b', 'b']) await once(({ step }) => step(letter));
  const read = reader();
  expect(await read()).toEqual(settled('c PENDING', 'a IN_TRANSIT', 'b OUT_FOR_DELIVERY'));
  await once(async ({ begin, step }) => {
    await step('c');
    await begin('d');
    await step('c');
  });
  expect(await read(2)).toEqual({
    changes: ['c IN_TRANSIT', 'd PENDING'],
    more: true,
    unsettled: false,
  });
  expect(await read(2)).toEqual(settled('c OUT_FOR_DELIVERY'));
  expect(await read()).toEqual(settled());
});

test('only what matches the filter comes: to a status, of a courier', async () => {
  const { once, of, reader } = await openFeed();
  const courier = randomUUID();
  await once(({ begin }) => begin('a', courier));
  await once(({ begin }) => begin('b'));
  await once(({ step }) => step('b'));
  const moving = reader({ status: ['OUT_FOR_DELIVERY', 'IN_TRANSIT'], courierId: null });
  const hers = reader({ status: null, courierId: courier });
  const both = reader({ status: ['DELIVERED'], courierId: courier });
  expect(await moving()).toEqual(settled('b IN_TRANSIT'));
  expect(await hers()).toEqual(settled('a PENDING'));
  expect(await both()).toEqual(settled());
  for (const letter of ['a', 'b', 'a', 'b', 'a', 'b']) await once(({ step }) => step(letter));
  expect(await moving()).toEqual(settled('a IN_TRANSIT', 'b OUT_FOR_DELIVERY', 'a OUT_FOR_DELIVERY'));
  expect(await hers()).toEqual(settled('a IN_TRANSIT', 'a OUT_FOR_DELIVERY', 'a DELIVERED'));
  expect(await both()).toEqual(settled('a DELIVERED'));
  expect(of('a').courierId).toBe(courier);
});

test('what commits late, after what was written later, is not passed by', async () => {
  const { once, hold, reader } = await openFeed();
  for (const letter of ['a', 'b']) await once(({ begin }) => begin(letter));
  const read = reader();
  expect(await read()).toEqual(settled('a PENDING', 'b PENDING'));
  const late = await hold(({ step }) => step('a'));
  await once(({ step }) => step('b'));
  expect(await read()).toEqual({ changes: [], more: false, unsettled: true });
  await late.commit();
  expect(await read()).toEqual(settled('a IN_TRANSIT', 'b IN_TRANSIT'));
});

test('who begins while a transaction is under way gets what was before it, and then each change once', async () => {
  const { once, hold, reader } = await openFeed();
  for (const letter of ['a', 'b', 'c']) await once(({ begin }) => begin(letter));
  for (let steps = 0; steps < 2; steps += 1) await once(({ step }) => step('c'));
  const late = await hold(({ step }) => step('a'));
  // One that has changed since, one that has ended since, and one that has begun since.
  await once(({ step }) => step('b'));
  await once(({ step }) => step('c'));
  await once(({ begin }) => begin('d'));
  const read = reader();
  expect(await read()).toEqual({
    changes: ['a PENDING', 'b PENDING', 'c OUT_FOR_DELIVERY'],
    more: false,
    unsettled: true,
  });
  await late.commit();
  expect(await read()).toEqual(settled('a IN_TRANSIT', 'b IN_TRANSIT', 'c DELIVERED', 'd PENDING'));
});

test('a delivery’s changes keep their order though an older transaction had to wait for a younger one', async () => {
  const { once, hold, changes, reader } = await openFeed();
  await once(({ begin }) => begin('a'));
  const read = reader();
  expect(await read()).toEqual(settled('a PENDING'));
  const older = await hold(async () => undefined);
  await once(({ step }) => step('a'));
  expect(await read()).toEqual({ changes: [], more: false, unsettled: true });
  await changes(older.tx).step('a');
  await older.commit();
  expect(await read()).toEqual(settled('a IN_TRANSIT', 'a OUT_FOR_DELIVERY'));
});

test('the open deliveries come in pages, all as of one moment, whatever happens meanwhile', async () => {
  const { once, reader } = await openFeed();
  for (const letter of ['a', 'b', 'c', 'd', 'e']) await once(({ begin }) => begin(letter));
  const read = reader();
  expect(await read(2)).toEqual({ changes: ['a PENDING', 'b PENDING'], more: true, unsettled: false });
  for (const letter of ['a', 'd', 'c', 'c', 'c']) await once(({ step }) => step(letter));
  await once(({ begin }) => begin('f'));
  expect(await read(2)).toMatchObject({ changes: ['c PENDING', 'd PENDING'], more: true });
  expect(await read(2)).toMatchObject({ changes: ['e PENDING'], more: true });
  const rest = ['a IN_TRANSIT', 'd IN_TRANSIT', 'c IN_TRANSIT', 'c OUT_FOR_DELIVERY', 'c DELIVERED'];
  expect(await read()).toEqual(settled(...rest, 'f PENDING'));
});

test('a place that nothing has come to yet is said to be ahead', async () => {
  const { once, database } = await openFeed();
  await once(({ begin }) => begin('a'));
  await settle(database);
  const { rows } = await database.query<{ xid: string }>(
    'select pg_snapshot_xmin(pg_current_snapshot())::text as xid',
  );
  const read = async (xid: bigint) => {
    const after = { xid: `${xid}`, id: '1', until: null };
    return (await readFeed(database)([{ id: filterId(any), after, limit: 1, known: false }]))[0]?.ahead;
  };
  const horizon = BigInt(rows[0]?.xid ?? 0);
  expect([await read(horizon - 1n), await read(horizon + 1_000_000n)]).toEqual([false, true]);
});

test('the migration gives what has happened before it a place, each delivery’s in its own order', async () => {
  const { once, database, of, reader } = await openFeed();
  for (const letter of ['a', 'b']) await once(({ begin }) => begin(letter));
  for (const letter of ['b', 'a', 'a', 'b']) await once(({ step }) => step(letter));
  // The last change of `a` was begun before all else: the time of a row is when its transaction began.
  await database.query(
    `update delivery_changes set at = at - interval '1 hour' where delivery_id = $1 and sequence = 3`,
    [of('a').deliveryId],
  );
  const place = {
    url: database.url,
    directory: projectPath('prisma', 'delivery', 'migrations'),
    service: 'delivery',
  };
  await migrateDown(place);
  expect((await migrate(place)).applied).toHaveLength(1);
  const { rows } = await database.query<{ line: string }>(
    `select concat_ws(' ', id, case delivery_id when $1 then 'a' else 'b' end, sequence, courier_id is not null) as line
     from delivery_changes order by xid, id`,
    [of('a').deliveryId],
  );
  const at = rows.map(({ line }) => line);
  expect(at).toEqual(['1 a 1 f', '2 b 1 f', '3 b 2 t', '4 a 2 t', '5 a 3 t', '6 b 3 t']);
  const read = reader();
  expect(await read()).toEqual(settled('a OUT_FOR_DELIVERY', 'b OUT_FOR_DELIVERY'));
  await once(({ step }) => step('a'));
  expect(await read()).toEqual(settled('a DELIVERED'));
});
