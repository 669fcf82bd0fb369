import { randomUUID } from 'node:crypto';
import kafkajs, { type Producer } from 'kafkajs';
import { customEvent } from '../../events/custom.js';
import { toMessage } from '../../platform/bus/event.js';
import { registerCodecs } from '../../platform/kafka/codecs.js';
import { createPartitioner } from '../../platform/kafka/partitioner.js';

/** kafkajs's producer with the settings of ours, and nothing around it. */
export async function startBare(brokers: string): Promise<Producer> {
  registerCodecs();
  const kafka = new kafkajs.Kafka({
    brokers: [brokers],
    clientId: 'bare',
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = kafka.producer({
    ...{ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false, createPartitioner },
  });
  await producer.connect();
  return producer;
}

/** Sends batches of events such as the program's, one after the other, and answers how many events a second it took. */
export async function measureBare(producer: Producer, seconds: number, batchSize: number): Promise<number> {
  const batches = Array.from({ length: 20 }, () =>
    Array.from({ length: batchSize }, (_, n) => {
      const { key, value, headers } = toMessage('event', customEvent, eventData(n), new Date(), {
        type: benchType,
      });
      return { key, value, headers };
    }),
  );
  let sent = 0;
  const began = performance.now();
  while (performance.now() - began < seconds * 1_000) {
    const messages = batches[(sent / batchSize) % batches.length] ?? [];
    await producer.send({
      ...{ topic: customEvent.topic, acks: -1, compression: kafkajs.CompressionTypes.Snappy, messages },
    });
    sent += batchSize;
  }
  return (sent / (performance.now() - began)) * 1_000;
}

export const benchType = 'bench.event.published';
export const eventData = (n: number) => ({ userId: randomUUID(), note: 'called, and was not there', n });
