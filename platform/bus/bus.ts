import type { Contract, Event, Message } from './event.js';

/**
 * Handles a batch of events of one topic, in order. It must be idempotent (see inbox.ts) and either
 * takes the whole batch or throws and leaves nothing behind.
 */
export type Handler<T> = (events: Event<T>[]) => Promise<void>;

export interface Consumer<T> {
  /** Who has handled what is kept by group; a service is one group. */
  group: string;
  contract: Contract<T>;
  handle: Handler<T>;
}

/** A consumer of whatever kind: the contract parses what the handler gets, so the pair always fits. */
// biome-ignore lint/suspicious/noExplicitAny: the type of its events is known to the consumer alone
export type AnyConsumer = Consumer<any>;

/** An event that was put aside, and why. */
export interface DeadLetter {
  id: string;
  group: string;
  topic: string;
  key: string;
  value: string;
  reason: string;
  at: Date;
}

/** How many events of a partition a group has yet to handle. */
export interface Lag {
  group: string;
  topic: string;
  partition: number;
  lag: number;
}

/**
 * How events travel. Two adapters: Kafka for everything real, and an embedded one for a single
 * process. Both deliver at least once, in order within a topic and key, and put an event aside after
 * `maxAttempts` failures of its own while others go on; outages are retried for ever.
 */
export interface Bus extends DeadLetters {
  /** What readiness calls it while it is missing. */
  readonly name: string;
  /** Resolves once the messages are safe; throws when that is not known. Publishing one twice is harmless. */
  publish(messages: Message[]): Promise<void>;
  /** Registers a consumer: before `start`, and one for each group and topic; throws otherwise. */
  consume(consumer: AnyConsumer): void;
  /**
   * Every event of these topics from now on, to every process, unrecorded: a doorbell, not a delivery. `onGap` is
   * called whenever events may have passed unheard: once it hears what comes from then on, be it for the first
   * time or after it had to leave what carries the bus. What either throws is logged.
   */
  listen<T>(contract: Contract<T>, onEvent: (event: Event<T>) => void, onGap?: () => void): void;
  /** Of every group that handles events of the topics consumed here, in this process or another, by group and topic. */
  lag(): Promise<Lag[]>;
  /** How many dead letters there are, at little cost: one that a crash put aside twice counts twice. */
  countDeadLetters(): Promise<number>;
  /** Waits for what carries the bus, however long, until the signal aborts: then it rejects. */
  start(signal?: AbortSignal): Promise<void>;
  /** False before it has been started, once it stops, and while nothing can be delivered. */
  readonly ready: boolean;
  /** Lets running handlers end, then stops; again is harmless. */
  stop(): Promise<void>;
}

/** What has been put aside. */
export interface DeadLetters {
  /** Of a topic, or of all; oldest first in each topic. */
  deadLetters(topic?: string): Promise<DeadLetter[]>;
  /** Hands the first ones to their group again; answers how many. */
  replayDeadLetters(options: { topic?: string; first: number }): Promise<number>;
}

export const byGroupAndTopic = (one: Lag, other: Lag): number =>
  one.group.localeCompare(other.group) ||
  one.topic.localeCompare(other.topic) ||
  one.partition - other.partition;

/** An event may fail this often by its own fault before it is put aside. */
export const maxAttempts = 5;

/** How long to wait before try `attempt` (1, 2, ...), in ms: exponential, capped, with jitter so that retries spread out. */
export function backoff(attempt: number, options: { firstMs?: number; capMs?: number } = {}): number {
  const { firstMs = 50, capMs = 5_000 } = options;
  const ceiling = Math.min(capMs, firstMs * 2 ** (attempt - 1));
  return ceiling / 2 + Math.random() * (ceiling / 2);
}
