import type { Kafka } from 'kafkajs';
import type { AnyConsumer } from '../bus/bus.js';
import { withAdmin } from './client.js';

/** How many events stand between what each consumer's group has committed and the end of its topic. */
export const measureLag = (kafka: Kafka, consumers: readonly AnyConsumer[]) =>
  withAdmin(kafka, (admin) =>
    Promise.all(
      consumers.map(async ({ group, contract: { topic } }) => {
        const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
        const handled = new Map(committed?.partitions.map(({ partition, offset }) => [partition, offset]));
        const ends = await admin.fetchTopicOffsets(topic);
        const events = ends.reduce((sum, { partition, low, high }) => {
          // -1 where nothing has been committed yet; retention may have taken what was never handled.
          const from = Math.max(Number(handled.get(partition) ?? -1), Number(low));
          return sum + Math.max(Number(high) - from, 0);
        }, 0);
        return { group, topic, events };
      }),
    ),
  );
