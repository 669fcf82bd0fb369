import type { Kafka, Message as KafkaMessage, Producer } from 'kafkajs';
import { pause } from '../bell.js';
import { type Compression, compressionTypes } from './codecs.js';
import { createPartitioner } from './partitioner.js';
import { ensureTopics } from './topics.js';

/** A message for a topic, as kafkajs takes it. */
export interface Outgoing extends KafkaMessage {
  topic: string;
}

export interface Publisher {
  /** Resolves once all in-sync replicas have all of them; rejects when that is not known. */
  publish(messages: Outgoing[]): Promise<void>;
  stop(): Promise<void>;
}

const stopWithinMs = 5_000;
/** So many bytes leave at once at most: brokers refuse a batch of more than 1 MiB. */
const mostBytes = 512 * 1024;

/**
 * An idempotent producer, one publish at a time, which creates the topics that it needs.
 *
 * A producer that failed is thrown away: the broker may have what it sent, and kafkajs would number what
 * comes next the same, so that the broker would take it for the batch it has, and drop it without a word.
 * A new producer's numbers begin anew; what is then sent twice, the consumers' inbox knows.
 */
export function createPublisher(options: { kafka: Kafka; compression: Compression }): Publisher {
  const { kafka } = options;
  const compression = compressionTypes[options.compression];
  const known = new Set<string>();
  let producer: Producer | undefined;
  /** `topic/partition` of each message of the batch that is sent. */
  const chosen = new Set<string>();
  let stopped = false;
  let turn: Promise<unknown> = Promise.resolve();

  async function connected(): Promise<Producer> {
    if (producer) return producer;
    const created = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner() {
        const partitionOf = createPartitioner();
        return (message) => {
          const partition = partitionOf(message);
          chosen.add(`${message.topic}/${partition}`);
          return partition;
        };
      },
    });
    try {
      await created.connect();
    } catch (error) {
      // It may have connected, and failed to get its id.
      await created.disconnect().catch(() => undefined);
      throw error;
    }
    producer = created;
    return created;
  }

  async function send(messages: Outgoing[]): Promise<void> {
    if (stopped) throw new Error('the bus has been stopped');
    const missing = messages.map(({ topic }) => topic).filter((topic) => !known.has(topic));
    try {
      if (missing.length > 0) await ensureTopics(kafka, missing);
      for (const topic of missing) known.add(topic);
      const current = await connected();
      for (const batch of batches(messages)) await sendBatch(current, batch);
    } catch (error) {
      await discard();
      throw error;
    }
  }

  /**
   * When a leader moves to a broker that has answered already, kafkajs sends it nothing more, and calls that a
   * success: an answer has to be there for each partition.
   */
  async function sendBatch(current: Producer, batch: Outgoing[]): Promise<void> {
    chosen.clear();
    const answers = await current.sendBatch({ acks: -1, compression, topicMessages: byTopic(batch) });
    for (const { topicName, partition } of answers) chosen.delete(`${topicName}/${partition}`);
    if (chosen.size > 0) throw new Error(`nobody has taken the messages of ${[...chosen].join(', ')}`);
  }

  async function discard(): Promise<void> {
    const failed = producer;
    producer = undefined;
    known.clear();
    await failed?.disconnect().catch(() => undefined);
  }

  return {
    publish(messages) {
      const sent = turn.then(() => send(messages));
      turn = sent.catch(() => undefined);
      return sent;
    },
    async stop() {
      stopped = true;
      // What a broker that hangs has not taken by then, the outbox keeps.
      const patience = new AbortController();
      await Promise.race([turn, pause(stopWithinMs, patience.signal)]);
      patience.abort();
      await discard();
    },
  };
}

function* batches(messages: Outgoing[]): Generator<Outgoing[]> {
  let batch: Outgoing[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = sizeOf(message);
    if (batch.length > 0 && bytes + size > mostBytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(message);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

const bytesOf = (data: Buffer | string | null | undefined): number => Buffer.byteLength(data ?? '');

function sizeOf({ key, value, headers = {} }: Outgoing): number {
  const ofHeaders = Object.entries(headers).flatMap(([name, given]) => [name, ...[given].flat()]);
  return ofHeaders.reduce((sum, part) => sum + bytesOf(part) + 10, bytesOf(key) + bytesOf(value) + 200);
}

function byTopic(messages: Outgoing[]): { topic: string; messages: KafkaMessage[] }[] {
  const topics = new Map<string, KafkaMessage[]>();
  for (const { topic, ...message } of messages) {
    const others = topics.get(topic);
    if (others) others.push(message);
    else topics.set(topic, [message]);
  }
  return [...topics].map(([topic, list]) => ({ topic, messages: list }));
}
