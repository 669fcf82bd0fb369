import type { Consumer as KafkaConsumer } from 'kafkajs';
import type { AnyConsumer } from '../bus/bus.js';
import { type Crew, createCrew, type Failure } from './crew.js';
import { createLane, type Lane } from './lane.js';
import { type Session, type Supervised, type SuperviseOptions, supervise } from './supervise.js';

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
  let committing: NodeJS.Timeout | undefined;

  for (const consumer of consumers) {
    const { topic } = consumer.contract;
    const own = new Map<number, Lane>();
    lanes.set(topic, own);
    crews.set(topic, createCrew({ consumer, lanes: () => own.values(), batchSize, log, bury, onProgress }));
  }

  function onProgress(lane: Lane): void {
    if (lanes.get(lane.topic)?.get(lane.partition) !== lane) return;
    uncommitted.add(lane);
    committing ??= setTimeout(commit, commitEveryMs);
    throttle(lane);
  }

  /** Stops fetching a partition of which so many wait, and begins again when few do. */
  function throttle(lane: Lane): void {
    if (lane.size >= full && !paused.has(lane)) {
      paused.add(lane);
      kafkaConsumer.pause([placeOf(lane)]);
    } else if (lane.size <= low) resume(lane);
  }

  function resume(lane: Lane): void {
    if (paused.delete(lane)) kafkaConsumer.resume([placeOf(lane)]);
  }

  async function commit(): Promise<void> {
    committing = undefined;
    const offsets = [...uncommitted].flatMap(({ topic, partition, position }) =>
      position === undefined ? [] : [{ topic, partition, offset: position.toString() }],
    );
    uncommitted.clear();
    if (offsets.length === 0) return;
    try {
      await kafkaConsumer.commitOffsets(offsets);
    } catch (error) {
      // A later commit says more; without one, these messages come again, and the inbox knows them.
      log.debug({ group, err: error }, 'offsets were not committed');
    }
  }

  return {
    async eachBatch({ batch: { topic, partition, messages, highWatermark } }) {
      const own = lanes.get(topic);
      if (!own) return;
      const lane = own.get(partition) ?? createLane(group, topic, partition);
      own.set(partition, lane);
      lane.push(messages, highWatermark);
      onProgress(lane);
      crews.get(topic)?.ring();
    },
    assigned(partitions) {
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
      clearTimeout(committing);
      await Promise.all([...crews.values()].map((crew) => crew.stop()));
      clearTimeout(committing);
      await commit();
    },
  };
}

const placeOf = ({ topic, partition }: Lane) => ({ topic, partitions: [partition] });
