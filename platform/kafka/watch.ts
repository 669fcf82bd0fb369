import type { Admin, Kafka } from 'kafkajs';
import type { Log } from '../log.js';
import { repeat, type Worker } from '../worker.js';
import { reasonOf, retries } from './client.js';

const everyMs = 1_000;
/** Without an answer for so long, Kafka is away; a refusal says so at once. */
const patienceMs = 10_000;

export interface KafkaWatch extends Worker {
  /** Whether the brokers have answered lately. */
  readonly answers: boolean;
}

/** Asks the brokers every second whether they are there, and logs when that changes. */
export function watchKafka({ kafka, log }: { kafka: Kafka; log: Log }): KafkaWatch {
  let admin: Admin | undefined;
  let answeredAt = Number.NEGATIVE_INFINITY;
  let away = false;

  async function connected(): Promise<Admin> {
    if (admin) return admin;
    const created = kafka.admin({ retry: retries(0) });
    admin = created;
    await created.connect();
    return created;
  }

  async function ask(): Promise<void> {
    try {
      const current = await connected();
      await current.describeCluster();
      answeredAt = performance.now();
      if (away) log.info('Kafka answers again');
      away = false;
    } catch (error) {
      if (!away) log.error({ reason: reasonOf(error) }, 'Kafka does not answer');
      away = true;
      const failed = admin;
      admin = undefined;
      await failed?.disconnect().catch(() => undefined);
    }
  }

  const asking = repeat({
    name: 'kafka watch',
    pollMs: everyMs,
    log,
    async work() {
      await ask();
      return false;
    },
  });
  return {
    get answers() {
      return !away && performance.now() - answeredAt < patienceMs;
    },
    async stop() {
      await asking.stop();
      await admin?.disconnect().catch(() => undefined);
    },
  };
}
