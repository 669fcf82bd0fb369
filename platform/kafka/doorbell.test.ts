import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { expect, onTestFinished, test } from 'vitest';
import type { Bus } from '../bus/bus.js';
import { toMessage } from '../bus/event.js';
import { noteContract } from '../testing/bus-storage.js';
import { ownKafka, testKafka } from '../testing/kafka.js';
import { testBus } from '../testing/kafka-bus.js';
import { createLiveThings } from '../testing/live.js';
import { needs } from '../testing/needs.js';
import { until } from '../testing/until.js';
import { withAdmin } from './client.js';

const patient = { timeout: 30_000, interval: 20 };

/** Things whose changes ring by Kafka alone: they are never looked for without. */
async function rungByKafka(brokers: string[]) {
  const contract = noteContract();
  const things = await createLiveThings({ pollMs: 600_000 });
  onTestFinished(() => things.close());
  const id = await things.make('me', '0');
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { value } of things.live.watch({ id, after: null })) seen.push(value);
  })();
  // It ends when the source stops, at the end of the test.
  reading.catch(() => undefined);
  await expect.poll(() => seen, patient).toEqual(['0']);

  const service = `service-${randomUUID()}`;
  const [publisher, listener] = [testBus({ brokers, maxRetries: 1 }), testBus({ brokers, service })];
  const heard: number[] = [];
  listener.listen(
    contract,
    ({ data }) => {
      heard.push(data.n);
      things.live.ring(id);
    },
    things.live.ringAll,
  );
  const started = async (bus: Bus): Promise<void> => {
    onTestFinished(() => bus.stop());
    await bus.start();
  };
  await started(publisher);
  // So that the topic stands.
  await publisher.publish([toMessage('test', contract, { key: randomUUID(), n: -1 }, new Date())]);

  let changes = 0;
  /** Commits a change, and rings for it as a relay does: again and again until the bus has it. */
  async function change(): Promise<void> {
    changes += 1;
    // Of a key of its own each time: they go to all partitions.
    const message = toMessage('test', contract, { key: randomUUID(), n: changes }, new Date());
    await things.change(id, `${changes}`);
    await until('the bell has been rung', () =>
      publisher.publish([message]).then(
        () => true,
        () => false,
      ),
    );
  }
  return {
    service,
    topic: contract.topic,
    heard,
    seen,
    change,
    start: () => started(listener),
    all: () => Array.from({ length: changes + 1 }, (_, n) => `${n}`),
  };
}

needs('java', 'mvn')('a live source whose doorbell is a group on Kafka', () => {
  test('misses nothing for which the bell rang before it had joined', { timeout: 60_000 }, async () => {
    const { start, change, seen, heard, all } = await rungByKafka([(await testKafka()).brokers]);
    await change();
    await start();
    await expect.poll(() => seen, patient).toEqual(all());
    expect(heard).toEqual([]);
  });

  test('misses nothing that happens while the group is joined', { timeout: 60_000 }, async () => {
    const { start, change, seen, all } = await rungByKafka([(await testKafka()).brokers]);
    let joining = true;
    const joined = start().finally(() => {
      joining = false;
    });
    while (joining) await change();
    await joined;
    await expect.poll(() => seen, patient).toEqual(all());
  });

  test('misses nothing in a rebalance, though others hear the bell meanwhile', {
    timeout: 60_000,
  }, async () => {
    const brokers = [(await testKafka()).brokers];
    const { service, topic, start, change, seen, heard, all } = await rungByKafka(brokers);
    await start();
    await change();
    await expect.poll(() => seen, patient).toEqual(all());

    const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
    const { groups } = await withAdmin(kafka, (admin) => admin.listGroups());
    const groupId = groups.find((group) => group.groupId.startsWith(`${service}-live-`))?.groupId ?? '';
    // Of the topic's partitions, it takes some, and commits what it has heard there.
    const intruder = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
    onTestFinished(() => intruder.disconnect());
    let overheard = 0;
    await intruder.connect();
    await intruder.subscribe({ topics: [topic] });
    await intruder.run({
      eachMessage: async () => {
        overheard += 1;
      },
    });
    await until('another has heard the bell in its stead', async () => {
      await change();
      return overheard > 0;
    });
    expect(heard.length).toBeLessThan(all().length - 1);
    await intruder.disconnect();
    await expect.poll(() => seen, patient).toEqual(all());
  });

  test('misses nothing while the broker is killed and comes back', { timeout: 90_000 }, async () => {
    const kafka = await ownKafka(onTestFinished);
    const { start, change, seen, all } = await rungByKafka([kafka.brokers]);
    await start();
    await change();
    await expect.poll(() => seen, patient).toEqual(all());
    await kafka.kill();
    const rung = change();
    await kafka.start();
    await rung;
    await change();
    await expect.poll(() => seen, patient).toEqual(all());
  });
});
