import kafkajs, { type Kafka, type Message as KafkaMessage, type Producer } from 'kafkajs';
import { type Compression, compressionTypes } from './codecs.js';
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
  let stopped = false;
  let turn: Promise<unknown> = Promise.resolve();

  async function connected(): Promise<Producer> {
    if (producer) return producer;
    const created = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    await created.connect();
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
      for (const batch of batches(messages))
        await current.sendBatch({ acks: -1, compression, topicMessages: byTopic(batch) });
    } catch (error) {
      await discard();
      throw error;
    }
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
      await turn;
      stopped = true;
      await discard();
    },
  };
}

function* batches(messages: Outgoing[]): Generator<Outgoing[]> {
  let batch: Outgoing[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = Buffer.byteLength(message.value ?? '') + 200;
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

function byTopic(messages: Outgoing[]): { topic: string; messages: KafkaMessage[] }[] {
  const topics = new Map<string, KafkaMessage[]>();
  for (const { topic, ...message } of messages) {
    const others = topics.get(topic);
    if (others) others.push(message);
    else topics.set(topic, [message]);
  }
  return [...topics].map(([topic, list]) => ({ topic, messages: list }));
}
