import { randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deliveryStatusUpdated } from '../events/delivery.js';
import { demoPassword } from '../events/demo.js';
import { orderCreated } from '../events/order.js';
import { paymentCompleted } from '../events/payment.js';
import { userRegistered } from '../events/user.js';
import type { Bus } from '../platform/bus/bus.js';
import { toMessage } from '../platform/bus/event.js';
import { ownKafka } from '../platform/testing/kafka.js';
import { testBus } from '../platform/testing/kafka-bus.js';
import { findProgram, needs } from '../platform/testing/needs.js';
import { until } from '../platform/testing/until.js';
import type { Customer } from './support/client.js';
import { ends, type Fleet, type Member, members, startFleet } from './support/fleet.js';
import { follow } from './support/follow.js';
import { complaints, samplesOf, sum } from './support/metrics.js';
import { placeOrder } from './support/orders.js';
import { runDoorstep } from './support/process.js';

const steps = ['PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED'];

needs('java', 'mvn')('seven processes on a real broker', () => {
  let fleet: Fleet;
  let bus: Bus;
  let brokers: string;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    const onEnd = (close: () => Promise<void>) => void closing.push(close);
    brokers = (await ownKafka(onEnd)).brokers;
    // Slow enough that whoever is stopped is so in the middle of deliveries, and that others can start beside them.
    fleet = await startFleet({ brokers, env: { DELIVERY_STEP: '200ms' }, onEnd });
    bus = testBus({ brokers: [brokers] });
    await bus.start();
    closing.push(() => bus.stop());
  }, 120_000);
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  });

  async function customer(balance = '20.00'): Promise<Customer> {
    const registered = await fleet.register();
    await fleet.topUp(registered, balance);
    return registered;
  }

  /** Another customer, whose events are in the same partition of every topic. */
  async function neighbourOf({ userId }: Customer): Promise<Customer> {
    const partitionOf = kafkajs.Partitioners.DefaultPartitioner();
    const partitionMetadata = Array.from({ length: 6 }, (_, partitionId) => ({
      ...{ partitionId, leader: 1, replicas: [1], isr: [1], partitionErrorCode: 0 },
    }));
    const partition = (key: string) =>
      partitionOf({ topic: 'any', partitionMetadata, message: { key, value: '' } });
    return until('a neighbour has registered', async () => {
      const other = await customer();
      return partition(other.userId) === partition(userId) && other;
    });
  }

  test('an order reaches its subscriber, from the charge to the door', async () => {
    const someone = await customer();
    const id = await fleet.order(someone);
    const [changes, payments] = await Promise.all([
      follow(fleet, id, someone.token),
      (async () => {
        const live = fleet.subscribe<{ paymentCompleted: { status: string } }>(
          'subscription ($id: ID!) { paymentCompleted(orderId: $id) { status } }',
          { id },
          someone.token,
        );
        expect(await live.ended).toMatchObject({ complete: true });
        return live.messages.map(({ data }) => data?.paymentCompleted.status);
      })(),
    ]);
    expect(changes.at(-1)?.status).toBe('DELIVERED');
    expect(steps.join()).toContain(changes.map(({ status }) => status).join());
    expect(payments).toEqual(['SUCCESS']);
    expect([...(await ends(fleet, [id], 20_000)).values()]).toEqual(['COMPLETED']);
  });

  test('staff publishes events as one batch, watches them, and sees how far each group is', async () => {
    const someone = await customer();
    const { login } = await fleet.ask<{ login: { accessToken: string } }>(
      'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }',
      { input: { email: 'admin@example.com', password: demoPassword } },
    );
    const type = 'test.batch.published';
    const inputs = Array.from({ length: 100 }, (_, n) => ({
      ...{ kind: 'USER', type, userId: n % 2 === 0 ? someone.userId : randomUUID(), data: { n } },
    }));
    const { publishEvents: events } = await fleet.ask<{ publishEvents: { id: string; cursor: string }[] }>(
      'mutation ($inputs: [PublishEventInput!]!) { publishEvents(inputs: $inputs) { id cursor } }',
      { inputs },
      login.accessToken,
    );
    expect(await fleet.sql('event', 'select id from events where type = $1 order by id', [type])).toEqual(
      events.map(({ id }) => ({ id })),
    );
    const live = fleet.subscribe<{ eventPublished: { id: string } }>(
      'subscription ($filter: EventFilter, $after: Cursor) { eventPublished(filter: $filter, after: $after) { id } }',
      { filter: { type, userId: someone.userId }, after: events[0]?.cursor },
      login.accessToken,
    );
    const mine = events.filter((_, n) => n % 2 === 0 && n > 0).map(({ id }) => id);
    await live.waitFor(({ length }) => length >= mine.length);
    // Those of one user are in one partition, and in order.
    expect(live.messages.map(({ data }) => data?.eventPublished.id)).toEqual(mine);
    live.close();
    const stats = await until('everything is handled', async () => {
      const { eventStats } = await fleet.ask<{
        eventStats: { deadLetters: number; consumerLag: { group: string; topic: string; lag: number }[] };
      }>('{ eventStats { deadLetters consumerLag { group topic partition lag } } }', {}, login.accessToken);
      return eventStats.consumerLag.every(({ lag }) => lag === 0) && eventStats;
    });
    const groups = new Set(stats.consumerLag.map(({ group }) => group));
    // A group has a place once it has handled something, as these have of the order above.
    expect([...groups]).toEqual(
      expect.arrayContaining(['delivery', 'event', 'order', 'payment', 'payment-orders']),
    );
    const ofCustom = stats.consumerLag.filter(({ topic }) => topic === 'events.custom');
    expect(ofCustom).toEqual(
      [0, 1, 2, 3, 4, 5].map((partition) => ({ group: 'event', topic: 'events.custom', partition, lag: 0 })),
    );
    expect(stats.deadLetters).toBe((await bus.deadLetters()).length);
  });

  test('what cannot be read is put aside on every consumed topic, and its partition goes on', async () => {
    const someone = await customer();
    const junk = [userRegistered, orderCreated, paymentCompleted, deliveryStatusUpdated].map(({ topic }) => ({
      ...{ id: '', topic, key: someone.userId, value: '{', headers: {} },
    }));
    await bus.publish(junk);
    const id = await fleet.order(someone);
    await ends(fleet, [id], 30_000);
    const letters = await until('all are put aside', async () => {
      const found = (await bus.deadLetters()).filter(({ key }) => key === someone.userId);
      return found.length >= 11 && found;
    });
    expect(letters.map(({ group, topic, reason }) => `${topic} ${group}: ${reason}`).toSorted()).toEqual([
      'delivery.status.updated event: the value is not JSON',
      'delivery.status.updated order: the value is not JSON',
      'order.created delivery: the value is not JSON',
      'order.created event: the value is not JSON',
      'order.created payment-orders: the value is not JSON',
      'order.created payment: the value is not JSON',
      'payment.completed delivery: the value is not JSON',
      'payment.completed event: the value is not JSON',
      'payment.completed order: the value is not JSON',
      'user.registered event: the value is not JSON',
      'user.registered payment: the value is not JSON',
    ]);
    const command = async (...args: string[]) => {
      const { ended, output } = runDoorstep(['dead-letters', ...args], { KAFKA_BROKERS: brokers });
      expect(await ended).toBe(0);
      return output();
    };
    expect(await command('list', 'order.created', '--first', '1')).toMatch(
      /^order\.created {2}(delivery|event|payment|payment-orders) {2}\S+Z {2}\S+ {2}the value is not JSON\n4 in all\n$/,
    );
    expect(await command('replay', 'user.registered')).toBe('2 replayed\n');
    await until('it is put aside again', async () =>
      (await command('list', 'user.registered')).endsWith('\n2 in all\n'),
    );
  });

  test('a poison event goes aside on every consumed topic, its partition goes on, and replayed it has its effect once', {
    timeout: 120_000,
  }, async () => {
    const [poisoned, newcomer] = [await customer(), randomUUID()];
    const neighbour = await neighbourOf(poisoned);
    const places = [
      ['payment', 'accounts'],
      ['payment', 'payments'],
      ['payment', 'known_orders'],
      ['delivery', 'known_orders'],
      ['order', 'orders'],
    ] as const;
    const poison = async (
      service: (typeof places)[number][0],
      table: string,
      operations = 'insert or update',
    ) => {
      await fleet.sql(
        service,
        `create or replace function poison() returns trigger language plpgsql as $$ begin
           if new.user_id in ('${poisoned.userId}', '${newcomer}') then
             raise check_violation using message = 'poison';
           end if;
           return new;
         end $$`,
      );
      await fleet.sql(
        service,
        `create trigger poison before ${operations} on ${table} for each row execute function poison()`,
      );
    };
    const cure = (service: (typeof places)[number][0], table: string) =>
      fleet.sql(service, `drop trigger poison on ${table}`);
    const aside = async (...expected: string[]) => {
      const own = [poisoned.userId, newcomer];
      const letters = await until(
        `aside are ${expected.join(', ') || 'none'}`,
        async () => {
          const found = (await bus.deadLetters()).filter(({ key }) => own.includes(key));
          const names = new Set(found.map(({ group, topic }) => `${topic} ${group}`));
          return names.size === expected.length && expected.every((name) => names.has(name)) && found;
        },
        30_000,
      );
      for (const { reason } of letters) expect(reason).toBe('poison');
      // The same partitions carry what comes after.
      await ends(fleet, [await fleet.order(neighbour)], 30_000);
    };
    const replay = (topic: string) => bus.replayDeadLetters({ topic, first: 1_000 });

    for (const [service, table] of places) {
      // An order can be placed; what becomes of it cannot be written.
      await poison(service, table, table === 'orders' ? 'update' : 'insert or update');
    }
    await bus.publish([toMessage('test', userRegistered, { userId: newcomer }, new Date())]);
    const id = await fleet.order(poisoned);
    await aside(
      'order.created delivery',
      'order.created payment',
      'order.created payment-orders',
      'user.registered payment',
    );

    for (const table of ['accounts', 'payments', 'known_orders']) await cure('payment', table);
    await replay('user.registered');
    await replay('order.created');
    await aside('order.created delivery', 'payment.completed delivery', 'payment.completed order');
    expect(await fleet.sql('payment', 'select from accounts where user_id = $1', [newcomer])).toHaveLength(1);

    await cure('delivery', 'known_orders');
    await replay('order.created');
    await replay('payment.completed');
    await aside('delivery.status.updated order', 'payment.completed order');

    await cure('order', 'orders');
    await replay('payment.completed');
    await replay('delivery.status.updated');
    expect([...(await ends(fleet, [id], 30_000)).values()]).toEqual(['COMPLETED']);
    // As if somebody had replayed everything twice.
    await aside();
    const once = [
      ['payment', 'select from payments where order_id = $1'],
      [
        'payment',
        `select from ledger_entries e join payments p on p.id = e.payment_id where p.order_id = $1`,
      ],
      ['delivery', 'select from deliveries where order_id = $1'],
    ] as const;
    for (const [service, sql] of once) expect(await fleet.sql(service, sql, [id])).toHaveLength(1);
    const delivered = `select c.status from delivery_changes c join deliveries d on d.id = c.delivery_id
      where d.order_id = $1 order by c.sequence`;
    expect(
      (await fleet.sql<{ status: string }>('delivery', delivered, [id])).map(({ status }) => status),
    ).toEqual(steps);
  });

  test.skipIf(findProgram('promtool') === undefined && process.env['CI'] !== 'true')(
    'promtool has nothing to say about the metrics of any process, and lag and dead letters are among them',
    async () => {
      const pages = new Map<Member, string>();
      for (const member of members) {
        const page = await (await fetch(fleet.metricsUrl(member))).text();
        expect(complaints(page), member).toBe('');
        pages.set(member, page);
      }
      const payment = samplesOf(pages.get('payment') ?? '');
      const of = { group: 'payment', topic: 'order.created' };
      expect(sum(payment, 'consumer_dead_letters_total', of)).toBeGreaterThan(0);
      expect(sum(payment, 'consumer_events_handled_total', of)).toBeGreaterThan(0);
      expect(sum(payment, 'consumer_lag_events', of)).toBeGreaterThanOrEqual(0);
      expect(sum(payment, 'producer_events_published_total', { service: 'payment' })).toBeGreaterThan(0);
      expect(sum(payment, 'outbox_events', { service: 'payment' })).toBeGreaterThanOrEqual(0);
    },
  );

  test('SIGTERM to each under load loses no request, no event and no message of a subscription', {
    timeout: 300_000,
  }, async () => {
    const customers = await Promise.all(Array.from({ length: 6 }, () => customer('1000.00')));
    const loaded = new AbortController();
    const orderIds: string[] = [];
    const lost: unknown[] = [];
    const load = customers.map(async (one) => {
      for (let n = 0; !loaded.signal.aborted; n += 1) {
        const id = await placeOrder(fleet, one, `order ${n}`, (error) => lost.push(error));
        orderIds.push(id);
        const seen = (await follow(fleet, id, one.token)).map(({ status }) => status);
        // It begins with the state at that moment; from there on nothing is missing and nothing comes twice.
        expect(seen).toEqual(steps.slice(-seen.length));
      }
    });
    for (const member of members) {
      const from = orderIds.length;
      await until('orders are placed', () => orderIds.length > from + 6);
      expect(await fleet.terminate(member), `${member} ends cleanly`).toBe(0);
      await fleet.start(member);
    }
    loaded.abort();
    await Promise.all(load);
    expect(lost).toEqual([]);
    expect(new Set(orderIds).size).toBe(orderIds.length);
    const statuses = await ends(fleet, orderIds, 60_000);
    expect(new Set(statuses.values())).toEqual(new Set(['COMPLETED']));
    expect(
      await fleet.sql(
        'payment',
        'select count(*)::int as all, count(distinct order_id)::int as orders from payments where order_id = any($1::uuid[])',
        [orderIds],
      ),
    ).toEqual([{ all: orderIds.length, orders: orderIds.length }]);
  });
});
