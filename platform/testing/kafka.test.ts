import { Kafka, logLevel } from 'kafkajs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ownKafka, testKafka } from './kafka.js';
import { needs } from './needs.js';

// Java takes its time to start on a busy machine.
vi.setConfig({ testTimeout: 90_000 });

async function clusterId(brokers: string): Promise<string> {
  const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
  const admin = kafka.admin();
  await admin.connect();
  return admin
    .describeCluster()
    .then((cluster) => cluster.clusterId)
    .finally(() => admin.disconnect());
}

needs('java', 'mvn')('a Kafka for tests', () => {
  test('is one for all who ask', async () => {
    const [one, other] = await Promise.all([testKafka(), testKafka()]);
    expect(one).toEqual(other);
    expect(await clusterId(one.brokers)).toMatch(/^[\w-]{22}$/);
  });

  test("is a test's own where it kills it, and starts it again on its port", async () => {
    const kafka = await ownKafka(onTestFinished);
    const id = await clusterId(kafka.brokers);
    await kafka.kill();
    await expect(clusterId(kafka.brokers)).rejects.toThrow('ECONNREFUSED');
    await kafka.start();
    expect(await clusterId(kafka.brokers)).toBe(id);
  });
});
