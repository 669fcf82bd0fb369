import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { expect, onTestFinished, test } from 'vitest';
import { type Event, toMessage } from '../bus/event.js';
import { type Note, noteContract } from '../testing/bus-storage.js';
import { testKafka } from '../testing/kafka.js';
import { testBus } from '../testing/kafka-bus.js';
import { needs } from '../testing/needs.js';
import { until } from '../testing/until.js';
import { withAdmin } from './client.js';
import { toDeadLetter } from './dead-letters.js';

const patient = { timeout: 20_000, interval: 50 };

/** A bus with one consumer, and a stranger who writes to its topic whatever he likes. */
async function setUp() {
  const brokers = [(await testKafka()).brokers];
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  const contract = noteContract();
  const handled: number[] = [];
  const bus = testBus({ brokers });
  const handle = async (events: Event<Note>[]) => void handled.push(...events.map(({ data }) => data.n));
  bus.consume({ group: `group-${randomUUID()}`, contract, handle });
  await bus.start();
  onTestFinished(() => bus.stop());
  const stranger = kafka.producer({ allowAutoTopicCreation: false });
  await stranger.connect();
  onTestFinished(() => stranger.disconnect());
  const letters = () => bus.deadLetters(contract.topic);
  const publish = (n: number) =>
    bus.publish([toMessage('test', contract, { key: 'a', n }, new Date())]).then(() => undefined);
  return { kafka, contract, handled, bus, stranger, letters, publish };
}

test('a header without a value, which kafkajs can read and not write, is written without one', () => {
  const raw = {
    ...{ key: null, value: null, timestamp: '0', attributes: 0, offset: '7' },
    headers: { nothing: null as never, list: ['a', null as never] },
  };
  const { headers } = toDeadLetter('g', { topic: 't', partition: 3, raw, reason: 'why' });
  expect(headers).toMatchObject({ nothing: '', list: ['a', ''], 'dead-letter-offset': '7' });
});

needs('java', 'mvn')('a message of a stranger', () => {
  test.each([
    ['that is as large as the broker takes', { key: 'a', value: Buffer.alloc(1_048_400, '{') }],
    ['without a value', { key: 'a', value: null }],
    ['without a key', { value: '{' }],
  ])('%s is put aside, and its partition goes on', async (_name, message) => {
    const { contract, handled, stranger, letters, publish } = await setUp();
    await stranger.send({ topic: contract.topic, messages: [message as never] });
    await publish(1);
    await expect.poll(() => handled, patient).toEqual([1]);
    await expect.poll(async () => (await letters()).length, patient).toBe(1);
  });

  test('is one of its own where its topic was made anew, and stands where another stood', async () => {
    const { kafka, contract, handled, stranger, letters, publish, bus } = await setUp();
    const send = (value: string) =>
      stranger.send({ topic: contract.topic, messages: [{ key: 'a', value, partition: 0 }] });
    await send('first');
    for (let n = 1; n <= 5; n += 1) await publish(n);
    await expect.poll(() => handled.length, patient).toBe(5);
    await expect.poll(async () => (await letters()).length, patient).toBe(1);
    await withAdmin(kafka, (admin) => admin.deleteTopics({ topics: [contract.topic] }));
    await until('the topic is there again', () =>
      publish(6).then(
        () => true,
        () => false,
      ),
    );
    // By then the consumer has found that its old place is no more.
    await expect.poll(() => handled, patient).toContain(6);
    await until('the stranger finds it', () =>
      send('second').then(
        () => true,
        () => false,
      ),
    );
    for (let n = 7; n <= 15; n += 1) await publish(n);
    await expect
      .poll(() => [...new Set(handled)], patient)
      .toEqual(Array.from({ length: 15 }, (_, n) => n + 1));
    await expect
      .poll(async () => (await letters()).map(({ value }) => value), patient)
      .toEqual(['first', 'second']);
    expect(await bus.replayDeadLetters({ topic: contract.topic, first: 1 })).toBe(1);
    await expect
      .poll(async () => (await letters()).map(({ value }) => value), patient)
      .toEqual(['second', 'first']);
  });
});
