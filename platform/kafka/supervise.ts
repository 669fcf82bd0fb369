import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { pause } from '../bell.js';
import { backoff } from '../bus/bus.js';
import type { Log } from '../log.js';
import { reasonOf, retries } from './client.js';
import { ensureTopics } from './topics.js';

/** What is done with the messages of one connection to the brokers. */
export interface Session {
  eachBatch(payload: EachBatchPayload): Promise<void>;
  /** Called on each join: the partitions that are ours from now on, by topic. */
  assigned?(partitions: Record<string, number[]>): void;
  /** Called once it consumes, before it counts as joined. */
  begun?(): void;
  /** Called before the group is left, or after the connection has been lost. */
  close(): Promise<void>;
}

export interface Supervised {
  readonly joined: boolean;
  /** Resolves when the group has been joined for the first time; never when stopped before. */
  firstJoin: Promise<void>;
  stop(): Promise<void>;
}

export interface SuperviseOptions {
  kafka: Kafka;
  groupId: string;
  topics: string[];
  fromBeginning: boolean;
  autoCommit: boolean;
  /** After so long without a sign of life a consumer's partitions go to others. */
  sessionTimeoutMs: number;
  log: Log;
  open(consumer: Consumer): Session;
}

/** A fetch waits this long for messages; so long may a partition that was paused wait, too. */
const maxWaitTimeInMs = 250;

/**
 * Keeps a consumer of a group running until it is stopped: kafkajs ends one for good on some errors, so each
 * end, whatever it was, is followed by a new one, after a pause that grows.
 */
export function supervise(options: SuperviseOptions): Supervised {
  const { kafka, groupId, topics, fromBeginning, autoCommit, sessionTimeoutMs, log, open } = options;
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()));
  let joined = false;
  let joinedOnce = (): void => {};
  const firstJoin = new Promise<void>((resolve) => {
    joinedOnce = resolve;
  });

  /** One consumer's life; rejects with what ended it. */
  async function live(): Promise<void> {
    const consumer = kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.floor(sessionTimeoutMs / 5),
      rebalanceTimeout: sessionTimeoutMs * 2,
      maxWaitTimeInMs,
      allowAutoTopicCreation: false,
      retry: { ...retries(3), restartOnFailure: async () => false },
    });
    const session = open(consumer);
    const crashed = new Promise<never>((_, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    });
    crashed.catch(() => undefined);
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => session.assigned?.(payload.memberAssignment));
    try {
      await ensureTopics(kafka, topics);
      await consumer.connect();
      await consumer.subscribe({ topics, fromBeginning });
      let begun = (): void => {};
      const joining = new Promise<void>((resolve) => {
        begun = resolve;
      });
      consumer.on(consumer.events.GROUP_JOIN, () => begun());
      await consumer.run({
        autoCommit,
        ...(autoCommit && { autoCommitInterval: 5_000 }),
        partitionsConsumedConcurrently: 1,
        eachBatch: (payload) => session.eachBatch(payload),
      });
      await Promise.race([joining, crashed, stopped]);
      if (stopping.signal.aborted) return;
      session.begun?.();
      joined = true;
      joinedOnce();
      await Promise.race([crashed, stopped]);
    } finally {
      joined = false;
      await session.close();
      await consumer.disconnect().catch(() => undefined);
    }
  }

  async function run(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; ) {
      const began = Date.now();
      try {
        await live();
      } catch (error) {
        failures = Date.now() - began > 60_000 ? 1 : failures + 1;
        // New topics and groups need a moment, and so does a broker that has just come back.
        const level = failures < 3 ? 'debug' : 'warn';
        log[level]({ group: groupId, reason: reasonOf(error) }, 'a consumer lost Kafka, and tries again');
        await pause(backoff(failures, { firstMs: 200, capMs: 2_000 }), stopping.signal);
      }
    }
  }

  const running = run();
  return {
    get joined() {
      return joined;
    },
    firstJoin,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
