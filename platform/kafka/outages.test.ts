import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import type { Bus } from '../bus/bus.js';
import { type Contract, toMessage } from '../bus/event.js';
import { inboxConsumer } from '../inbox.js';
import { type Note, noteContract } from '../testing/bus-storage.js';
import { ownKafka, testKafka } from '../testing/kafka.js';
import { testBus } from '../testing/kafka-bus.js';
import { needs } from '../testing/needs.js';
import { createServiceDatabase } from '../testing/service-tables.js';
import { until } from '../testing/until.js';

const patient = { timeout: 30_000, interval: 50 };
const awayMs = 20_000;

async function started(bus: Bus): Promise<Bus> {
  await bus.start();
  onTestFinished(() => bus.stop());
  return bus;
}

/** A database with a table of effects, and consumers that write there, each event once. */
async function createEffects(contract: Contract<Note>) {
  const { database, drop } = await createServiceDatabase();
  onTestFinished(drop);
  await database.query(
    'create table effects (at bigint generated always as identity, by text, key text, n int)',
  );
  return {
    consumer: (group: string, by: string) =>
      inboxConsumer({
        database,
        group,
        contract,
        async handle(tx, events) {
          for (const { data } of events)
            await tx.query('insert into effects (by, key, n) values ($1, $2, $3)', [by, data.key, data.n]);
        },
      }),
    all: async () =>
      (await database.query<Note & { by: string }>('select by, key, n from effects order by at', [])).rows,
  };
}

needs('java', 'mvn')('a bus on Kafka', () => {
  test('goes on by itself when the broker has been away for 20 s, and has lost and doubled nothing', {
    timeout: 120_000,
  }, async () => {
    const kafka = await ownKafka(onTestFinished);
    const contract = noteContract();
    const effects = await createEffects(contract);
    const numbers = async () => (await effects.all()).map(({ n }) => n);
    const heard = new Set<number>();
    const bus = testBus({ brokers: [kafka.brokers], maxRetries: 1 });
    bus.consume(effects.consumer('g', 'it'));
    bus.listen(contract, ({ data }) => void heard.add(data.n));
    await started(bus);
    const message = (n: number) => toMessage('test', contract, { key: 'a', n }, new Date());
    await bus.publish([message(1)]);
    await expect.poll(numbers, patient).toEqual([1]);
    await expect.poll(() => bus.ready, patient).toBe(true);

    await kafka.kill();
    const backAt = Date.now() + awayMs;
    const second = message(2);
    await expect(bus.publish([second])).rejects.toThrow();
    await expect.poll(() => bus.ready, patient).toBe(false);
    await until('the broker has been away long enough', () => Date.now() >= backAt, awayMs * 2);
    await kafka.start();

    // As a relay does: again and again, until the bus has it.
    const taken = () =>
      bus.publish([second]).then(
        () => true,
        () => false,
      );
    await until('the bus takes messages again', taken);
    await bus.publish([message(3)]);
    await expect.poll(numbers, patient).toEqual([1, 2, 3]);
    await expect.poll(() => [...heard].toSorted(), patient).toEqual([1, 2, 3]);
    await expect.poll(() => bus.ready, patient).toBe(true);
  });

  test('waits for a broker that is not there yet, and ends that wait when it is told to', async () => {
    const bus = testBus({ brokers: ['127.0.0.1:1'] });
    onTestFinished(() => bus.stop());
    const told = new AbortController();
    const starting = bus.start(told.signal);
    starting.catch(() => undefined);
    expect(bus.ready).toBe(false);
    told.abort(new Error('told to stop'));
    await expect(starting).rejects.toThrow('told to stop');
  });

  test('shares its work anew when another comes and when one goes, in the middle of it', {
    timeout: 90_000,
  }, async () => {
    const brokers = [(await testKafka()).brokers];
    const contract = noteContract();
    const effects = await createEffects(contract);
    const group = `group-${randomUUID()}`;
    const replica = (name: string): Promise<Bus> => {
      const bus = testBus({ brokers, batchSize: 5 });
      bus.consume(effects.consumer(group, name));
      return started(bus);
    };
    const keys = Array.from({ length: 24 }, () => randomUUID());
    const publisher = await replica('first');
    let rounds = 0;
    const publish = async () => {
      const round = keys.map((key) => ({ key, n: rounds }));
      await publisher.publish(round.map((note) => toMessage('test', contract, note, new Date())));
      rounds += 1;
    };
    /** Publishes on and on, until one has handled something that is published from now on. */
    const worksAfter = async (name: string) => {
      const from = rounds;
      await until(`the ${name} one works`, async () => {
        await publish();
        return (await effects.all()).some(({ by, n }) => by === name && n > from);
      });
    };

    await worksAfter('first');
    const [second] = await Promise.all([replica('second'), worksAfter('second')]);
    await Promise.all([second.stop(), replica('third'), worksAfter('third')]);
    await worksAfter('first');
    await until('all is handled', async () => (await effects.all()).length >= rounds * keys.length, 30_000);
    const done = await effects.all();
    const expected = Array.from({ length: rounds }, (_, n) => n);
    for (const key of keys)
      expect(done.filter((effect) => effect.key === key).map(({ n }) => n)).toEqual(expected);
  });
});
