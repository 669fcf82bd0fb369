import type { Consumer as KafkaConsumer } from 'kafkajs';
import type { AnyConsumer } from '../bus/bus.js';
import { countOutcomes, timeHandling } from '../bus/outcomes.js';
import { createLane, type Failure, type Lane } from './lane.js';
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
 * Consumes for one group, side by side for each partition that it is given. Offsets are committed after
 * what they stand for: who comes after a consumer that was killed sees its last messages again.
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
  const lanes = new Map<string, Lane>();
  const paused = new Set<string>();
  const uncommitted = new Map<string, { topic: string; partition: number; lane: Lane }>();
  const [full, low] = [batchSize * 10, batchSize * 2];
  let committing: NodeJS.Timeout | undefined;
  let closed = false;

  /** The lane of a partition that is ours. */
  function laneOf(topic: string, partition: number): Lane | undefined {
    const id = nameOf(topic, partition);
    const known = lanes.get(id);
    const consumer = consumers.find(({ contract }) => contract.topic === topic);
    if (known || !consumer || closed) return known;
    const lane = createLane({
      consumer,
      partition,
      batchSize,
      log,
      bury,
      begin: () => timeHandling(group, topic),
      count: (tally) => countOutcomes(group, topic, tally),
      onProgress(lane) {
        if (lanes.get(id) !== lane) return;
        uncommitted.set(id, { topic, partition, lane });
        committing ??= setTimeout(commit, commitEveryMs);
        throttle(id, topic, partition, lane.size);
      },
    });
    lanes.set(id, lane);
    return lane;
  }

  /** Stops fetching a partition of which so many wait, and begins again when few do. */
  function throttle(id: string, topic: string, partition: number, size: number): void {
    const place = [{ topic, partitions: [partition] }];
    if (size >= full && !paused.has(id)) {
      paused.add(id);
      kafkaConsumer.pause(place);
    } else if (size <= low && paused.delete(id)) kafkaConsumer.resume(place);
  }

  async function commit(): Promise<void> {
    committing = undefined;
    const offsets = [...uncommitted.values()].flatMap(({ topic, partition, lane }) =>
      lane.position === undefined ? [] : [{ topic, partition, offset: lane.position.toString() }],
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
      laneOf(topic, partition)?.push(messages, highWatermark);
    },
    assigned(partitions) {
      for (const [id, lane] of lanes) {
        const [topic = '', partition] = placeOf(id);
        if (partitions[topic]?.includes(partition)) continue;
        // Another has it now: what waits here is handled there, and nothing of it is committed from here.
        lanes.delete(id);
        uncommitted.delete(id);
        paused.delete(id);
        void lane.stop();
      }
    },
    async close() {
      closed = true;
      clearTimeout(committing);
      await Promise.all([...lanes.values()].map((lane) => lane.stop()));
      await commit();
    },
  };
}

const nameOf = (topic: string, partition: number): string => `${topic}|${partition}`;
const placeOf = (name: string): [topic: string, partition: number] => {
  const [topic = '', partition] = name.split('|');
  return [topic, Number(partition)];
};
