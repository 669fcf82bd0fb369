import { expect, onTestFinished, test } from 'vitest';
import { ownKafka } from '../platform/testing/kafka.js';
import { testBus } from '../platform/testing/kafka-bus.js';
import { needs } from '../platform/testing/needs.js';
import { startTestRedis } from '../platform/testing/redis.js';
import { until } from '../platform/testing/until.js';
import type { Customer } from './support/client.js';
import { ends, members, startFleet } from './support/fleet.js';
import { placeOrder } from './support/orders.js';

const users = 20;
const ordersEach = 10;
/** Of each user's orders, so many can be paid. */
const paid = 6;

needs(
  'java',
  'mvn',
  'redis-server',
)('with every service process, the broker and Redis killed once on the way', () => {
  test('200 orders by 20 users are each charged once and reach their end', { timeout: 300_000 }, async () => {
    const kafka = await ownKafka(onTestFinished);
    const redis = await startTestRedis();
    onTestFinished(() => redis.stop());
    const env = { REDIS_URL: redis.url };
    const fleet = await startFleet({ brokers: kafka.brokers, env, onEnd: onTestFinished });
    /** Waits until whoever asks whether all is ready is told what is not. */
    const says = (part: string) =>
      until(`the gateway says that it misses ${part}`, async () =>
        (await (await fleet.http('/health/ready')).text()).includes(part),
      );
    const customers: Customer[] = [];
    for (let n = 0; n < users; n += 1) customers.push(await fleet.register());
    // Accounts open by an event: a moment later.
    for (const customer of customers) await fleet.topUp(customer, `${2 * paid}.00`);

    let placed = 0;
    const total = users * ordersEach;
    const starting: Promise<void>[] = [];
    const killings: (() => Promise<void>)[] = [
      ...members.map((member) => async () => {
        await fleet.kill(member);
        if (member === 'payment') await says('"payment"');
        starting.push(fleet.start(member));
      }),
      async () => {
        await kafka.kill();
        await says('"order: kafka"');
        await kafka.start();
      },
      async () => {
        await redis.kill();
        await says('"order: redis"');
        await redis.start();
      },
    ];
    const killing = (async () => {
      for (const [index, killAndStart] of killings.entries()) {
        const share = (0.05 + (0.9 * index) / killings.length) * total;
        await until('enough orders are placed', () => placed >= share, 120_000);
        await killAndStart();
      }
      await Promise.all(starting);
    })();
    const orderIds: string[] = [];
    await Promise.all([
      killing,
      ...customers.map(async (customer) => {
        for (let n = 0; n < ordersEach; n += 1) {
          orderIds.push(await placeOrder(fleet, customer, `order ${n}`));
          placed += 1;
        }
      }),
    ]);
    expect(new Set(orderIds).size).toBe(total);

    const statuses = await ends(fleet, orderIds, 120_000);
    expect([...statuses.values()].filter((status) => status === 'COMPLETED')).toHaveLength(users * paid);
    expect(
      await fleet.sql(
        'payment',
        'select count(*)::int as all, count(distinct order_id)::int as orders from payments',
      ),
    ).toEqual([{ all: total, orders: total }]);
    expect(
      await fleet.sql('payment', `select count(*)::int as charges from ledger_entries where kind = 'CHARGE'`),
    ).toEqual([{ charges: users * paid }]);
    expect(
      await fleet.sql(
        'payment',
        `select a.id from accounts a left join ledger_entries e on e.account_id = a.id
         group by a.id having a.balance_cents < 0 or a.balance_cents <> coalesce(sum(e.amount_cents), 0)`,
      ),
    ).toEqual([]);
    expect(
      await fleet.sql(
        'delivery',
        `select d.order_id from deliveries d join delivery_changes c on c.delivery_id = d.id
         group by d.order_id having array_agg(c.status order by c.sequence) <> '{PENDING,IN_TRANSIT,OUT_FOR_DELIVERY,DELIVERED}'`,
      ),
    ).toEqual([]);
    expect(await testBus({ brokers: [kafka.brokers] }).deadLetters()).toEqual([]);
  });
});
