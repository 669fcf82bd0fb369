import { type Admin, Kafka, type LogEntry, logLevel, type RetryOptions } from 'kafkajs';
import type { Log } from '../log.js';
import { registerCodecs } from './codecs.js';

export interface KafkaOptions {
  /** host:port of some brokers; the others are learnt from them. */
  brokers: string[];
  clientId: string;
  /** How often a request is tried again before its caller is told. */
  maxRetries: number;
  log: Log;
}

/** A client of the brokers; it connects when it is used. */
export function createKafka({ brokers, clientId, maxRetries, log }: KafkaOptions): Kafka {
  registerCodecs();
  return new Kafka({
    brokers,
    clientId,
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: retries(maxRetries),
    logLevel: logLevel.INFO,
    // It calls every lost connection an error; what matters is logged by those who use it.
    logCreator: () => (entry) => debug(log, entry),
  });
}

/** Exponential, with jitter: 100 ms, 200 ms, ... 2 s at most, each give or take half of it. */
export const retries = (most: number): RetryOptions => ({
  retries: most,
  initialRetryTime: 100,
  maxRetryTime: 2_000,
  multiplier: 2,
  factor: 0.5,
});

function debug(log: Log, { namespace, log: { message, error } }: LogEntry): void {
  log.debug({ client: namespace, ...(typeof error === 'string' && { error }) }, `kafka: ${message}`);
}

/** Hands an administrator's connection to `work`, and closes it after. */
export async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** kafkajs's stacks tell of kafkajs alone. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
