import type { Consumer as KafkaConsumer } from 'kafkajs';
import type { AnyConsumer } from '../bus/bus.js';
import { type Crew, createCrew, type Failure } from './crew.js';
import { createLane, type Lane } from './lane.js';
import { type Session, type Supervised, type SuperviseOptions, supervise } from './supervise.js';

/** A lane with so many bytes is not fetched for; what was fetched already may be more. */
const fullBytes = 4 * 1024 * 1024;
/** How long positions are gathered before they are committed: what a crash repeats, the inbox knows. */
const commitEveryMs = 200;

export interface GroupOptions extends Pick<SuperviseOptions, 'kafka' | 'sessionTimeoutMs' | 'log'> {
  group: string;
  /** Of this group, one for each topic. */
  consumers: AnyConsumer[];
  batchSize: number;
  /** Puts messages aside for good; rejects when that is not known. */
  bury(failures: Failure[]): Promise<void>;
}

/**
 * Consumes for one group the partitions that it is given. Offsets are committed after what they stand for: who
 * comes after a consumer that was killed sees its last messages again.
 */
export const runGroup = (options: GroupOptions): Supervised =>
  supervise({
    ...options,
    groupId: options.group,
    topics: options.consumers.map(({ contract }) => contract.topic),
    fromBeginning: true,
    autoCommit: false,
    open: (consumer) => openLanes(consumer, options),
  });

function openLanes(kafkaConsumer: KafkaConsumer, options: GroupOptions): Session {
  const { group, consumers, batchSize, log, bury } = options;
  /** By topic, then by partition. */
  const lanes = new Map<string, Map<number, Lane>>();
  const crews = new Map<string, Crew>();
  const paused = new Set<Lane>();
  const uncommitted = new Set<Lane>();
  const [full, low] = [batchSize * 10, batchSize * 2];
  let closed = false;
  let ours: Record<string, number[]> = {};
  let committing: NodeJS.Timeout | undefined;

  for (const consumer of consumers) {
    const { topic } = consumer.contract;
    const own = new Map<number, Lane>();
    lanes.set(topic, own);
    crews.set(topic, createCrew({ consumer, lanes: () => own.values(), batchSize, log, bury, onProgress }));
  }

  function onProgress(lane: Lane): void {
    if (!isOurs(lane)) return;
    commitSoon(lane);
    throttle(lane);
  }

  const isOurs = (lane: Lane): boolean => lanes.get(lane.topic)?.get(lane.partition) === lane;

  function commitSoon(lane: Lane): void {
    uncommitted.add(lane);
    committing ??= setTimeout(commit, commitEveryMs);
  }

  /** Stops fetching a partition of which so many wait, and begins again when few do. */
  function throttle(lane: Lane): void {
    if (paused.has(lane)) {
      if (lane.size <= low && lane.bytes <= fullBytes / 2) resume(lane);
    } else if (lane.size >= full || lane.bytes >= fullBytes) {
      paused.add(lane);
      steer(() => kafkaConsumer.pause([placeOf(lane)]));
    }
  }

  function resume(lane: Lane): void {
    if (paused.delete(lane)) steer(() => kafkaConsumer.resume([placeOf(lane)]));
  }

  /** kafkajs throws when it has just lost the brokers; the next consumer begins with nothing paused. */
  function steer(change: () => void): void {
    try {
      change();
    } catch (error) {
      log.debug({ group, err: error }, 'the consumer is gone');
    }
  }

  async function commit(): Promise<void> {
    committing = undefined;
    const positions = [...uncommitted].flatMap((lane) =>
      lane.position === undefined ? [] : [{ lane, position: lane.position }],
    );
    uncommitted.clear();
    if (positions.length === 0) return;
    try {
      await kafkaConsumer.commitOffsets(
        positions.map(({ lane: { topic, partition }, position }) => ({
          topic,
          partition,
          offset: position.toString(),
        })),
      );
      for (const { lane, position } of positions) lane.committed = position;
    } catch (error) {
      // Should nobody commit them later, these messages come again, and the inbox knows them.
      log.debug({ group, err: error }, 'offsets were not committed');
      if (!closed) for (const { lane } of positions) if (isOurs(lane)) commitSoon(lane);
    }
  }

  return {
    async eachBatch({ batch: { topic, partition, messages } }) {
      const own = lanes.get(topic);
      // A fetch that was under way in a rebalance may bring what is another's by now.
      if (!own || !ours[topic]?.includes(partition)) return;
      const lane = own.get(partition) ?? createLane(group, topic, partition);
      own.set(partition, lane);
      lane.push(messages);
      onProgress(lane);
      crews.get(topic)?.ring();
    },
    assigned(partitions) {
      ours = partitions;
      for (const [topic, own] of lanes) {
        for (const [partition, lane] of own) {
          if (partitions[topic]?.includes(partition)) continue;
          // Another has it now: what waits here is handled there, and nothing of it is committed from here.
          own.delete(partition);
          uncommitted.delete(lane);
          // Or it would still be paused when it comes back.
          resume(lane);
        }
      }
    },
    async close() {
      await Promise.allSettled([...crews.values()].map((crew) => crew.stop()));
      closed = true;
      clearTimeout(committing);
      await commit();
    },
  };
}

const placeOf = ({ topic, partition }: Lane) => ({ topic, partitions: [partition] });
