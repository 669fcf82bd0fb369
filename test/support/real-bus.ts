import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ownKafka } from '../../platform/testing/kafka.js';
import { findProgram, needs } from '../../platform/testing/needs.js';

export interface RealBus {
  /** For `startSystem`; empty where the embedded bus carries the events. */
  env(): Record<string, string>;
  /** Whether several processes can share it. */
  readonly isKafka: boolean;
  /** Adds the test that says whether it was Kafka: skipped where that cannot be, and failed there with `CI=true`. */
  proveIt(): void;
}

/**
 * For a file of tests of whole systems: a Kafka broker of its own where there are Java and Maven, and the embedded
 * bus elsewhere, so that nothing is tested twice, and nothing is left out on a machine that has only Node. Topics and
 * groups have the same names in every system: one follows the other on a broker. Call it before any other hook.
 */
export function realBus(): RealBus {
  const isKafka = (['java', 'mvn'] as const).every((program) => findProgram(program) !== undefined);
  const closing: (() => Promise<void>)[] = [];
  let brokers = '';
  beforeAll(async () => {
    if (isKafka) brokers = (await ownKafka((close) => void closing.push(close))).brokers;
  }, 120_000);
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  });
  return {
    env: () => (isKafka ? { KAFKA_BROKERS: brokers } : {}),
    isKafka,
    proveIt: () =>
      needs('java', 'mvn')('what is tested here', () => {
        test('has run on a Kafka broker', async () => {
          const kafka = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING });
          const admin = kafka.admin();
          await admin.connect();
          const ends = await Promise.all(
            ['order.created', 'payment.completed', 'delivery.status.updated'].map(async (topic) =>
              (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0),
            ),
          ).finally(() => admin.disconnect());
          expect(Math.min(...ends)).toBeGreaterThan(0);
        });
      }),
  };
}
