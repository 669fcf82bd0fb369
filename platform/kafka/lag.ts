import type { Kafka } from 'kafkajs';
import { type AnyConsumer, byGroupAndTopic, type Lag } from '../bus/bus.js';
import { withAdmin } from './client.js';
import { readsDeadLetters } from './dead-letters.js';
import { isListener } from './listener.js';

interface Committed {
  partition: number;
  /** -1 where nothing has been committed yet. */
  offset: string;
}
interface Ends {
  partition: number;
  low: string;
  high: string;
}

/** How many events of each partition stand between what a group has committed and the end. */
function lags(committed: Committed[] = [], ends: Ends[]): { partition: number; lag: number }[] {
  const handled = new Map(committed.map(({ partition, offset }) => [partition, offset]));
  return ends.map(({ partition, low, high }) => {
    // Retention may have taken what was never handled.
    const from = Math.max(Number(handled.get(partition) ?? -1), Number(low));
    return { partition, lag: Math.max(Number(high) - from, 0) };
  });
}

/** How many events each consumer has yet to handle. */
export const measureLag = (kafka: Kafka, consumers: readonly AnyConsumer[]) =>
  withAdmin(kafka, (admin) =>
    Promise.all(
      consumers.map(async ({ group, contract: { topic } }) => {
        const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
        const measured = lags(committed?.partitions, await admin.fetchTopicOffsets(topic));
        return { group, topic, events: measured.reduce((sum, { lag }) => sum + lag, 0) };
      }),
    ),
  );

/** The same of every group that consumes the topics of these consumers, wherever it runs, by partition. */
export const measureAll = (kafka: Kafka, consumers: readonly AnyConsumer[]): Promise<Lag[]> =>
  withAdmin(kafka, async (admin) => {
    const topics = [...new Set(consumers.map(({ contract: { topic } }) => topic))];
    const own = new Set(consumers.map(({ group, contract: { topic } }) => `${group} ${topic}`));
    const ends = new Map(
      await Promise.all(topics.map(async (topic) => [topic, await admin.fetchTopicOffsets(topic)] as const)),
    );
    const { groups } = await admin.listGroups();
    // Who listens hears what comes, and is behind with nothing.
    const names = groups
      .map(({ groupId }) => groupId)
      .filter((id) => !isListener(id) && !readsDeadLetters(id));
    const all = [...new Set([...names, ...consumers.map(({ group }) => group)])];
    const measured = all.map(async (group) => {
      const committed = await admin.fetchOffsets({ groupId: group, topics });
      return committed
        .filter(
          ({ topic, partitions }) =>
            own.has(`${group} ${topic}`) || partitions.some(({ offset }) => Number(offset) >= 0),
        )
        .flatMap(({ topic, partitions }) =>
          lags(partitions, ends.get(topic) ?? []).map((lag) => ({ group, topic, ...lag })),
        );
    });
    return (await Promise.all(measured)).flat().toSorted(byGroupAndTopic);
  });
