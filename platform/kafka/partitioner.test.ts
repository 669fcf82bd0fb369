import { randomBytes, randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';
import { expect, test } from 'vitest';
import { createPartitioner } from './partitioner.js';

const partitionMetadata = Array.from({ length: 7 }, (_, partitionId) => ({
  ...{ partitionId, leader: 1, replicas: [1], isr: [1], partitionErrorCode: 0 },
}));

test('keys go where kafkajs, and so Kafka itself, sends them', () => {
  const [ours, theirs] = [createPartitioner(), kafkajs.Partitioners.DefaultPartitioner()];
  const keys = [...Array.from({ length: 40 }, (_, length) => randomBytes(length)), randomUUID(), 'ü€', ''];
  for (const key of keys) {
    const message = { topic: 't', partitionMetadata, message: { key, value: '' } };
    expect(ours(message), String(key)).toBe(theirs(message));
  }
});

test('what has no key goes somewhere', () => {
  const partition = createPartitioner()({ topic: 't', partitionMetadata, message: { value: '' } });
  expect(partitionMetadata.map(({ partitionId }) => partitionId)).toContain(partition);
});
