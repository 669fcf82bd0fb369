import { pause } from '../bell.js';
import { type AnyConsumer, type Bus, backoff } from '../bus/bus.js';
import type { Message } from '../bus/event.js';
import { watchLag } from '../bus/outcomes.js';
import { createRegistry } from '../bus/registry.js';
import { ConfigError } from '../config.js';
import type { Log } from '../log.js';
import type { Worker } from '../worker.js';
import { createKafka, reasonOf, withAdmin } from './client.js';
import { type Compression, hasZstd } from './codecs.js';
import type { Failure } from './crew.js';
import {
  countDeadLetters,
  listDeadLetters,
  replayDeadLetters,
  shortened,
  toDeadLetter,
} from './dead-letters.js';
import { runGroup } from './group.js';
import { measureAll, measureLag } from './lag.js';
import { runListeners } from './listener.js';
import { createPublisher, type Outgoing } from './producer.js';
import type { Supervised } from './supervise.js';
import { type KafkaWatch, watchKafka } from './watch.js';

export interface KafkaBusOptions {
  /** Whose bus it is; names the groups of its listeners. */
  service: string;
  /** host:port of some brokers. */
  brokers: string[];
  clientId: string;
  compression: Compression;
  /** So many events are handled in one transaction at most. */
  batchSize: number;
  maxRetries: number;
  /** After so long without a sign of life a process's partitions go to others, 10 s unless told. */
  sessionTimeoutMs?: number;
  log: Log;
}

/**
 * The bus on Kafka. Any number of processes share it; a group's partitions are spread
 * over those that consume for it.
 * @throws ConfigError for a compression that this machine cannot do
 */
export function createKafkaBus(options: KafkaBusOptions): Bus {
  const { service, batchSize, sessionTimeoutMs = 10_000, log } = options;
  if (options.compression === 'zstd' && !hasZstd)
    throw new ConfigError(`KAFKA_COMPRESSION zstd needs Node 22.15 or later; this is ${process.version}`);
  const kafka = createKafka(options);
  const publisher = createPublisher({ kafka, compression: options.compression });
  const registry = createRegistry(log);
  const { consumers } = registry;
  const running: Supervised[] = [];
  let watch: KafkaWatch | undefined;
  let lag: Worker | undefined;
  let starting: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;
  const halt = new AbortController();

  /** Tries until it goes well. */
  async function persist<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        if (attempt % 5 === 3)
          log.warn({ brokers: options.brokers, reason: reasonOf(error) }, `${service} waits for Kafka`);
        await pause(backoff(attempt, { firstMs: 100, capMs: 2_000 }), signal);
      }
    }
  }

  async function startConsuming(signal: AbortSignal): Promise<void> {
    watch = watchKafka({ kafka, log });
    lag = watchLag({ consumers: consumers.map(placeOf), log, measure: () => measureLag(kafka, consumers) });
    for (const group of new Set(consumers.map((consumer) => consumer.group))) {
      const own = consumers.filter((consumer) => consumer.group === group);
      const bury = (failures: Failure[]) => putAside(group, failures);
      running.push(runGroup({ kafka, group, consumers: own, batchSize, sessionTimeoutMs, log, bury }));
    }
    if (registry.heard().length === 0) return;
    const listening = { kafka, service, registry, sessionTimeoutMs, log };
    running.push(await persist(signal, () => runListeners(listening)));
  }

  async function putAside(group: string, failures: Failure[]): Promise<void> {
    const letters = failures.map((failure) => toDeadLetter(group, failure));
    await publisher.publish(letters).catch(async (error: unknown) => {
      if (!isFinal(error)) throw error;
      for (const letter of letters) await publishAlone(letter);
    });
    for (const { topic, reason } of failures) log.error({ service: group, topic, reason }, 'event put aside');
  }

  /** Of a letter that nobody takes as it is, its place and its reason: it must not hold its partition up for ever. */
  async function publishAlone(letter: Outgoing): Promise<void> {
    await publisher.publish([letter]).catch((error: unknown) => {
      if (!isFinal(error)) throw error;
      log.error({ topic: letter.topic, reason: reasonOf(error) }, 'a dead letter is kept without its value');
      return publisher.publish([shortened(letter)]);
    });
  }

  async function begin(signal: AbortSignal): Promise<void> {
    await persist(signal, () => withAdmin(kafka, (admin) => admin.describeCluster()));
    await startConsuming(signal);
    await Promise.race([Promise.all(running.map(({ firstJoin }) => firstJoin)), aborted(signal)]);
    signal.throwIfAborted();
  }

  async function stop(): Promise<void> {
    halt.abort(new Error('the bus has been stopped'));
    await starting?.catch(() => undefined);
    await Promise.all(running.map((one) => one.stop()));
    await publisher.stop();
    await lag?.stop();
    await watch?.stop();
  }

  return {
    name: 'kafka',
    publish(messages) {
      if (!starting) return Promise.reject(new Error('the bus has not been started'));
      return publisher.publish(messages.map(toOutgoing));
    },
    consume: registry.consume,
    listen: registry.listen,
    start(signal) {
      registry.close();
      starting = begin(AbortSignal.any([halt.signal, ...(signal ? [signal] : [])]));
      return starting;
    },
    get ready() {
      return watch?.answers === true && stopping === undefined && running.every(({ joined }) => joined);
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
    lag: () => measureAll(kafka, consumers),
    countDeadLetters: () => countDeadLetters(kafka),
    deadLetters: (topic) => listDeadLetters(kafka, topic),
    replayDeadLetters: (which) => replayDeadLetters(kafka, publisher, which),
  };
}

const toOutgoing = ({ topic, key, value, headers }: Message): Outgoing => ({ topic, key, value, headers });

const placeOf = ({ group, contract: { topic } }: AnyConsumer) => ({ group, topic });

/** Trying again would not help. */
const isFinal = (error: unknown): boolean => (error as { retriable?: boolean }).retriable === false;

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
