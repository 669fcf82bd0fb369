import type { ITopicConfig, Kafka } from 'kafkajs';
import { withAdmin } from './client.js';

/** So many consumers of a group can work side by side; the order within a key needs it never to change. */
const partitions = 6;
/** Shorter than the inbox remembers (housekeeping.ts), so that no event can come twice unnoticed. */
const retentionMs = 7 * 24 * 60 * 60 * 1000;
/** The brokers' own default. */
const replicationFactor = -1;

export const deadLetterTopic = (topic: string): string => `${topic}${suffix}`;
export const isDeadLetterTopic = (topic: string): boolean => topic.endsWith(suffix);
const suffix = '.dead-letter';

/** Dead letters are kept until somebody replays them, in one partition: the order in which they came. */
const configOf = (topic: string): ITopicConfig => ({
  topic,
  replicationFactor,
  ...(isDeadLetterTopic(topic)
    ? { numPartitions: 1, configEntries: [...retention(-1), largest] }
    : { numPartitions: partitions, configEntries: retention(retentionMs) }),
});

const retention = (ms: number) => [
  { name: 'cleanup.policy', value: 'delete' },
  { name: 'retention.ms', value: String(ms) },
];

/** A dead letter is larger than the largest message by the reason and the place that it tells; by default that is 1 MiB. */
const largest = { name: 'max.message.bytes', value: String(2 * 1024 * 1024) };

/** Creates those topics that are missing; those that stand are left as they are. */
export async function ensureTopics(kafka: Kafka, topics: string[]): Promise<void> {
  await withAdmin(kafka, async (admin) => {
    const there = new Set(await admin.listTopics());
    const missing = [...new Set(topics)].filter((topic) => !there.has(topic));
    // Another process may create them just now: that one's are as good.
    if (missing.length > 0) await admin.createTopics({ topics: missing.map(configOf), timeout: 10_000 });
  });
}
