import { randomInt, randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { createLiveSource, type LiveSource, type Read } from '../platform/live/source.js';
import type { Database } from '../platform/postgres/database.js';
import { random } from '../platform/testing/chaos.js';
import { silent } from '../platform/testing/log.js';
import { type FeedPosition, filterId, readFeed } from '../subgraphs/delivery/feed.js';
import { readDeliveryChanges } from '../subgraphs/delivery/live-reads.js';
import {
  readFeeds,
  readOrderChanges,
  type FeedPosition as UserPosition,
} from '../subgraphs/order/live-reads.js';
import { beginDelivery, holdTransaction, stepDelivery, type TestDelivery } from './support/deliveries.js';
import { expectHistories, type Histories, type Wanderer, wander } from './support/histories.js';
import { handlers, moved, type Order, orderPlacer, paid, way } from './support/order-events.js';
import { serviceDatabase } from './support/service.js';

/** How often a bell is heard at a replica; what it does not hear it finds when it looks for all. */
const doorbells: [string, number][] = [
  ['most rings are heard', 0.9],
  ['half of the rings are lost', 0.5],
  ['the doorbell is lost altogether', 0],
];
const pollMs = 150;
/** What one of the filters of all deliveries asks for. */
const some = ['IN_TRANSIT', 'DELIVERED'] as const;
const steps = 250;

/** Two replicas' live sources over one database, closed when the test ends. */
function replicas<T extends object, P>(start: P, read: Read<T, P>): LiveSource<T, P>[] {
  return [1, 2].map(() => {
    const source = createLiveSource<T, P>({ name: 'thing', log: silent, unknownMs: 0, start, pollMs, read });
    onTestFinished(() => source.stop());
    return source;
  });
}

/** One run: what is chosen by chance, the same for a seed, which a failure names. */
function createRun(ringsHeard: number) {
  const seed = Number(process.env['HISTORY_SEED'] ?? randomInt(2 ** 31));
  const next = random(seed);
  const happens = (probability: number) => next() < probability;
  const pick = <E>(list: readonly E[]): E => list[Math.floor(next() * list.length)] as E;
  const wanderers: Wanderer[] = [];
  const errors: unknown[] = [];
  const commits = new Set<Promise<void>>();
  return {
    seed,
    happens,
    pick,
    wanderers,
    errors,
    /** Begins a commit beside those under way, and rings at each replica that hears it. */
    commit(work: () => Promise<unknown>, bells: (() => void)[]): void {
      const done = work().then(() => {
        for (const ring of bells) if (happens(ringsHeard)) ring();
      });
      const over = done
        .catch((error: unknown) => void errors.push(error))
        .finally(() => commits.delete(over));
      commits.add(over);
    },
    watch<T extends object>(
      name: string,
      open: (after: string | null) => AsyncIterator<T>,
      keyOf: (value: T) => string,
    ): void {
      wanderers.push(wander({ name, open, keyOf, onError: (error) => errors.push(error) }));
    },
    /** Somebody moves, stops reading or goes on; or a commit is waited for. */
    async stir(): Promise<void> {
      const some = wanderers.length > 0 ? pick(wanderers) : undefined;
      if (some && happens(0.1)) await some.move();
      if (some && happens(0.1)) some.pause(happens(0.5));
      const [oldest] = commits;
      if (oldest && (commits.size > 6 || happens(0.4))) await oldest;
    },
    async settle(): Promise<void> {
      await Promise.all(commits);
      for (const one of wanderers) one.pause(false);
      onTestFinished(async () => void (await Promise.all(wanderers.map((one) => one.leave()))));
    },
  };
}

test.each(doorbells)(
  'every history of an order, and of all orders of a user, is the database’s: %s',
  async (_, heard) => {
    const database = await serviceDatabase('order');
    const run = createRun(heard);
    const ofOrders = replicas(0, readOrderChanges(database));
    const ofUsers = replicas<{ feed?: { sequence: number } }, UserPosition>(
      { at: 0, until: null },
      readFeeds(database),
    );
    const place = await orderPlacer(database);
    const { payments, deliveries } = handlers(database);
    const users = [randomUUID(), randomUUID(), randomUUID()];
    const orders: Order[] = [];
    const stepsOf = new Map<string, number>();

    for (let step = 0; step < steps; step += 1) {
      const user = run.pick(users);
      if (orders.length < 4 || run.happens(0.15)) {
        run.commit(
          async () => void orders.push(await place(user)),
          ofUsers.map((source) => () => source.ring(user)),
        );
      } else {
        const named = Array.from({ length: 3 }, () => run.pick(orders));
        const news = run.happens(0.3)
          ? () =>
              payments(named.map((order) => paid(order, run.happens(0.2) ? 'INSUFFICIENT_FUNDS' : 'SUCCESS')))
          : () =>
              deliveries(
                named.map((order) => {
                  const at = Math.min((stepsOf.get(order.orderId) ?? 0) + 1, way.length);
                  stepsOf.set(order.orderId, at);
                  return moved(order, at);
                }),
              );
        run.commit(news, [
          ...ofOrders.map((source) => () => {
            for (const { orderId } of named) source.ring(orderId);
          }),
          ...ofUsers.map((source) => () => {
            for (const { userId } of named) source.ring(userId);
          }),
        ]);
      }
      if (orders.length > 0 && run.wanderers.length < 14 && run.happens(0.2)) {
        const { orderId } = run.pick(orders);
        if (run.happens(0.5))
          run.watch(
            `user ${user}`,
            (after) =>
              run
                .pick(ofUsers)
                .watch({ id: user, after: after === null ? null : { at: Number(after), until: null } }),
            ({ feed }) => `${feed?.sequence}`,
          );
        else
          run.watch(
            `order ${orderId}`,
            (after) =>
              run.pick(ofOrders).watch({ id: orderId, after: after === null ? null : Number(after) }),
            ({ sequence }) => `${sequence}`,
          );
      }
      await run.stir();
    }
    await run.settle();
    await expectHistories({
      wanderers: run.wanderers,
      histories: () => orderHistories(database),
      another: () => Promise.all(users.map(place)),
    }).catch((error: unknown) => failed(run.seed, error));
    expect(run.errors).toEqual([]);
  },
);

test.each(doorbells)(
  'every history of all deliveries, whatever order they commit in, is the database’s: %s',
  async (_, heard) => {
    const database = await serviceDatabase('delivery');
    const run = createRun(heard);
    const feeds = replicas<{ feed?: string }, FeedPosition>(
      { xid: '0', id: '0', until: null },
      readFeed(database),
    );
    const single = replicas(0, readDeliveryChanges(database));
    const ringFeeds = feeds.map((source) => () => source.ringAll());
    const all: TestDelivery[] = [];
    /** What commits the transactions that are held open. */
    const held: (() => Promise<void>)[] = [];
    const filters = {
      all: filterId({ status: null, courierId: null }),
      some: filterId({ status: some, courierId: null }),
    };
    for (let step = 0; step < steps; step += 1) {
      if (all.length < 4 || run.happens(0.15)) {
        run.commit(
          async () => void all.push(await database.transaction((tx) => beginDelivery(tx))),
          ringFeeds,
        );
      } else {
        const delivery = run.pick(all);
        // Half of the transactions are old by the time that they come to the delivery.
        const old = run.happens(0.5);
        run.commit(
          () =>
            database.transaction(async (tx) => {
              if (old) await tx.query('select pg_current_xact_id()', []);
              await stepDelivery(tx, delivery);
              if (old) await stepDelivery(tx, delivery);
            }),
          [...ringFeeds, ...single.map((source) => () => source.ring(delivery.orderId))],
        );
      }
      if (held.length < 2 && run.happens(0.05)) {
        let begun: TestDelivery | undefined;
        const { commit } = await holdTransaction(database, async (tx) => {
          begun = await beginDelivery(tx);
        });
        held.push(async () => {
          await commit();
          if (begun) all.push(begun);
        });
      }
      if (held.length > 0 && run.happens(0.1)) await held.shift()?.();
      if (all.length > 0 && run.wanderers.length < 12 && run.happens(0.2)) {
        const { orderId } = run.pick(all);
        if (run.happens(0.3))
          run.watch(
            `order ${orderId}`,
            (after) => run.pick(single).watch({ id: orderId, after: after === null ? null : Number(after) }),
            ({ sequence }) => `${sequence}`,
          );
        else {
          const which = run.happens(0.5) ? 'all' : 'some';
          run.watch(
            `feed ${which}`,
            (after) => {
              const [xid = '', id = ''] = after?.split('.') ?? [];
              return run
                .pick(feeds)
                .watch({ id: filters[which], after: after === null ? null : { xid, id, until: null } });
            },
            ({ feed }) => feed ?? '',
          );
        }
      }
      await run.stir();
    }
    for (const commit of held) await commit();
    await run.settle();
    await expectHistories({
      wanderers: run.wanderers,
      histories: () => deliveryHistories(database),
      another: () => database.transaction(beginDelivery),
    }).catch((error: unknown) => failed(run.seed, error));
    expect(run.errors).toEqual([]);
  },
);

/** The histories that the order service has, by the name of who watches. */
async function orderHistories(database: Database): Promise<Histories> {
  const { rows } = await database.query<{
    orderId: string;
    userId: string;
    sequence: number;
    feed: number;
    open: boolean;
  }>(
    `select order_id as "orderId", user_id as "userId", sequence, user_sequence as feed, status in ('PENDING', 'PAID') as open
     from order_changes order by user_sequence`,
  );
  return (name) => {
    const [kind, id] = name.split(' ');
    const ofUser = kind === 'user';
    const own = rows.filter((row) => (ofUser ? row.userId : row.orderId) === id);
    const changes = own.map(({ orderId, sequence, feed, open }) => {
      return { key: `${ofUser ? feed : sequence}`, thing: orderId, open, matches: true };
    });
    return { changes, state: ofUser ? 'open' : 'last' };
  };
}

/** The histories that the delivery service has, by the name of who watches. */
async function deliveryHistories(database: Database): Promise<Histories> {
  const { rows } = await database.query<{ orderId: string; sequence: number; place: string; status: string }>(
    `select d.order_id as "orderId", c.sequence, concat_ws('.', c.xid, c.id) as place, c.status
     from delivery_changes c join deliveries d on d.id = c.delivery_id order by c.xid, c.id`,
  );
  // Whatever they say of all, each delivery's changes stand among them in their own order.
  const last = new Map<string, number>();
  for (const { orderId, sequence } of rows) {
    expect(sequence, `a change of order ${orderId}`).toBe((last.get(orderId) ?? 0) + 1);
    last.set(orderId, sequence);
  }
  return (name) => {
    const [kind, which] = name.split(' ');
    const ofAll = kind === 'feed';
    const own = rows.filter(({ orderId }) => ofAll || orderId === which);
    const changes = own.map(({ orderId, sequence, place, status }) => ({
      key: ofAll ? place : `${sequence}`,
      thing: orderId,
      open: status !== 'DELIVERED',
      matches: which !== 'some' || some.some((one) => one === status),
    }));
    return { changes, state: ofAll ? 'open' : 'last' };
  };
}

function failed(seed: number, error: unknown): never {
  throw new Error(`with HISTORY_SEED=${seed}: ${error instanceof Error ? error.message : error}`);
}
