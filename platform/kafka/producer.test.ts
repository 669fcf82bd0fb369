import { randomUUID } from 'node:crypto';
import net, { type Socket } from 'node:net';
import kafkajs, { type ISocketFactoryArgs, Kafka, logLevel } from 'kafkajs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Event, toMessage } from '../bus/event.js';
import { type Note, noteContract } from '../testing/bus-storage.js';
import { testKafka } from '../testing/kafka.js';
import { testBus } from '../testing/kafka-bus.js';
import { needs } from '../testing/needs.js';
import { withAdmin } from './client.js';
import { type Codec, type Compression, compressionTypes, hasZstd } from './codecs.js';
import { createPublisher } from './producer.js';

const { CompressionCodecs } = kafkajs;
const patient = { timeout: 20_000, interval: 20 };

/** What a consumer of a contract's topic is given, on a bus of its own. */
async function consume(brokers: string[], contract: ReturnType<typeof noteContract>): Promise<Note[]> {
  const handled: Note[] = [];
  const bus = testBus({ brokers });
  const handle = async (events: Event<Note>[]) => void handled.push(...events.map(({ data }) => data));
  bus.consume({ group: `group-${randomUUID()}`, contract, handle });
  onTestFinished(() => bus.stop());
  await bus.start();
  return handled;
}

needs('java', 'mvn')('a producer', () => {
  const codecs: Compression[] = ['gzip', 'snappy', 'lz4', ...(hasZstd ? (['zstd'] as const) : [])];
  test.each(codecs)('sends what %s has made small, and a consumer reads it', async (compression) => {
    const brokers = [(await testKafka()).brokers];
    const contract = noteContract();
    const handled = await consume(brokers, contract);
    const sender = testBus({ brokers, compression });
    await sender.start();
    onTestFinished(() => sender.stop());

    const codecs = CompressionCodecs as unknown as Record<number, () => Codec>;
    const type = compressionTypes[compression];
    const codec = codecs[type] as () => Codec;
    const compress = vi.fn(codec().compress);
    const decompress = vi.fn(codec().decompress);
    codecs[type] = () => ({ compress, decompress });
    onTestFinished(() => {
      codecs[type] = codec;
    });
    const all = Array.from({ length: 200 }, (_, n) => ({ key: 'a', n }));
    // The broker reads each batch too, and refuses one that it cannot.
    await sender.publish(all.map((note) => toMessage('test', contract, note, new Date())));
    await expect.poll(() => handled, patient).toEqual(all);
    expect(compress).toHaveBeenCalled();
    expect(decompress).toHaveBeenCalled();
  });

  test.skipIf(hasZstd)('refuses by name what this Node cannot do', () => {
    expect(() => testBus({ brokers: ['127.0.0.1:1'], compression: 'zstd' })).toThrow(
      /^KAFKA_COMPRESSION zstd needs Node 22\.15/,
    );
  });

  test('loses nothing after an answer that never came: what follows is not taken for what was sent before', async () => {
    const brokers = [(await testKafka()).brokers];
    const contract = noteContract();
    const handled = await consume(brokers, contract);
    let deaf = false;
    const kafka = new Kafka({
      brokers,
      logLevel: logLevel.NOTHING,
      retry: { retries: 1, initialRetryTime: 50 },
      socketFactory: (args) => losingAnswers(args, () => deaf),
    });
    const publisher = createPublisher({ kafka, compression: 'none' });
    onTestFinished(() => publisher.stop());
    const publish = (n: number) => {
      const { key, value, headers, topic } = toMessage('test', contract, { key: 'a', n }, new Date());
      return publisher.publish([{ key, value, headers, topic }]);
    };
    await publish(1);
    deaf = true;
    await expect(publish(2)).rejects.toThrow();
    deaf = false;
    await publish(3);
    await publish(4);
    await expect.poll(() => handled.map(({ n }) => n), patient).toContain(4);
    expect(handled.map(({ n }) => n)).toEqual([1, 2, 3, 4]);
  });

  test('splits what is too large for one batch of the broker', async () => {
    const brokers = [(await testKafka()).brokers];
    const contract = noteContract();
    const handled = await consume(brokers, contract);
    const sender = testBus({ brokers, compression: 'none' });
    await sender.start();
    onTestFinished(() => sender.stop());
    const padding = ' '.repeat(100_000);
    const key = 'k'.repeat(30_000);
    await sender.publish(
      Array.from({ length: 60 }, (_, n) => toMessage('test', contract, { key, n: n - 60 }, new Date())),
    );
    await expect.poll(() => handled.length, patient).toBe(60);
    handled.length = 0;
    const all = Array.from({ length: 30 }, (_, n) => ({ key: 'a', n }));
    await sender.publish(
      all.map((note) => {
        const message = toMessage('test', contract, note, new Date());
        return { ...message, value: message.value + padding };
      }),
    );
    await expect.poll(() => handled, patient).toEqual(all);
  });

  test('creates topics with six partitions and a week, and those of dead letters with one and for ever', async () => {
    const brokers = [(await testKafka()).brokers];
    const contract = noteContract();
    const handled = await consume(brokers, contract);
    const sender = testBus({ brokers });
    await sender.start();
    onTestFinished(() => sender.stop());
    const spoilt = { ...toMessage('test', contract, { key: 'a', n: 1 }, new Date()), value: '{' };
    await sender.publish([spoilt, toMessage('test', contract, { key: 'a', n: 2 }, new Date())]);
    await expect.poll(() => handled.length, patient).toBe(1);
    await expect.poll(async () => (await sender.deadLetters(contract.topic)).length, patient).toBe(1);
    const topics = [contract.topic, `${contract.topic}.dead-letter`];
    const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
    await withAdmin(kafka, async (admin) => {
      const { topics: described } = await admin.fetchTopicMetadata({ topics });
      const count = new Map(described.map(({ name, partitions }) => [name, partitions.length]));
      expect(topics.map((topic) => count.get(topic))).toEqual([6, 1]);
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
      });
      const retention = new Map(
        resources.map(({ resourceName, configEntries }) => [
          resourceName,
          configEntries.find(({ configName }) => configName === 'retention.ms')?.configValue,
        ]),
      );
      expect(topics.map((topic) => retention.get(topic))).toEqual([String(7 * 86_400_000), '-1']);
    });
  });
});

/** A connection that is cut, while `deaf`, as soon as the broker has answered: what it was sent, it has. */
function losingAnswers({ host, port, onConnect }: ISocketFactoryArgs, deaf: () => boolean): Socket {
  const socket = net.connect({ host, port }, onConnect);
  const emit = socket.emit.bind(socket);
  socket.emit = (event: string | symbol, ...args: unknown[]) => {
    if (event !== 'data' || !deaf()) return emit(event as never, ...(args as never[]));
    socket.destroy(new Error('cut'));
    return true;
  };
  return socket;
}
