import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { expect, onTestFinished, test } from 'vitest';
import { noteContract } from '../testing/bus-storage.js';
import { testKafka } from '../testing/kafka.js';
import { testBus } from '../testing/kafka-bus.js';
import { needs } from '../testing/needs.js';
import { withAdmin } from './client.js';

async function listGroups(kafka: Kafka, service: string): Promise<string[]> {
  const { groups } = await withAdmin(kafka, (admin) => admin.listGroups());
  return groups.map(({ groupId }) => groupId).filter((groupId) => groupId.startsWith(`${service}-live-`));
}

needs('java', 'mvn')('the group of a replica that listens', () => {
  test('is its own, and goes when it stops; what killed replicas left behind goes after an hour', async () => {
    const brokers = [(await testKafka()).brokers];
    const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
    const service = `service-${randomUUID()}`;
    const contract = noteContract();
    const replica = async () => {
      const bus = testBus({ brokers, service });
      bus.listen(contract, () => {});
      await bus.start();
      onTestFinished(() => bus.stop());
      return bus;
    };
    const first = await replica();
    // What a killed replica leaves: an empty group, by its name from so long ago.
    const left = (minutes: number) =>
      `${service}-live-${(Date.now() - minutes * 60_000).toString(36)}-0123abcd`;
    const [old, young] = [left(61), left(59)];
    for (const groupId of [old, young]) {
      const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
      await consumer.connect();
      await consumer.subscribe({ topics: [contract.topic] });
      const joined = new Promise<void>((resolve) => {
        consumer.on(consumer.events.GROUP_JOIN, () => resolve());
      });
      await consumer.run({ eachBatch: async () => {} });
      await joined;
      await consumer.disconnect();
    }
    expect(await listGroups(kafka, service)).toEqual(expect.arrayContaining([old, young]));

    const second = await replica();
    const groups = await listGroups(kafka, service);
    expect(groups).toHaveLength(3);
    expect(groups).toContain(young);
    expect(groups).not.toContain(old);
    await first.stop();
    await second.stop();
    expect(await listGroups(kafka, service)).toEqual([young]);
  });
});
