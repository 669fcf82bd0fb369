import type { KafkaMessage } from 'kafkajs';
import { createBell, pause } from '../bell.js';
import { processBatch } from '../bus/batch.js';
import { type AnyConsumer, backoff, maxAttempts } from '../bus/bus.js';
import type { Message } from '../bus/event.js';
import type { Tally } from '../bus/outcomes.js';
import type { Log } from '../log.js';

/** A message that has not been settled yet. */
interface Entry {
  offset: bigint;
  message: Message;
  raw: KafkaMessage;
  attempts: number;
  /** Not to be tried before, on the clock of Date.now(). */
  nextAt: number;
}

/** A message that failed for good, as it came, and why. */
export interface Failure {
  topic: string;
  partition: number;
  raw: KafkaMessage;
  reason: string;
}

export interface Lane {
  /** Adds what was fetched, in order; what it has had already is left out. */
  push(messages: KafkaMessage[], highWatermark: string): void;
  /** How many wait or are being handled. */
  readonly size: number;
  /** Everything before this offset is settled; undefined while nothing has come. */
  readonly position: bigint | undefined;
  /** Ends once a handler that runs has ended; what waits is left to whoever has the partition next. */
  stop(): Promise<void>;
}

export interface LaneOptions {
  consumer: AnyConsumer;
  partition: number;
  batchSize: number;
  log: Log;
  /** Puts messages aside for good; rejects when that is not known. */
  bury(failures: Failure[]): Promise<void>;
  /** Called when the position or the size has changed. */
  onProgress(lane: Lane): void;
  /** Called as a batch is begun; what it answers, when it has been handled. */
  begin(): () => void;
  count(tally: Tally): void;
}

/** Names the one group that a replayed dead letter is for. */
export const replayHeader = 'doorstep-replay-for';

/**
 * One partition of one topic, handled in order, in batches. A message that fails waits for its next try,
 * and the later ones of its key with it, while all other keys go on; so the position, up to which offsets
 * may be committed, is that of the oldest message that waits.
 */
export function createLane(options: LaneOptions): Lane {
  const { consumer, partition, batchSize, log, bury, onProgress, begin, count } = options;
  const { group, contract } = consumer;
  const bell = createBell();
  const stopping = new AbortController();
  let entries: Entry[] = [];
  let next: bigint | undefined;

  /** The oldest messages that may be tried now, each key from its first. */
  function due(now: number): Entry[] {
    const waiting = new Set<string>();
    const batch: Entry[] = [];
    for (const entry of entries) {
      const { key } = entry.message;
      if (entry.nextAt > now) waiting.add(key);
      else if (!waiting.has(key)) batch.push(entry);
      if (batch.length === batchSize) break;
    }
    return batch;
  }

  /** Handles a batch and settles it. Answers false when nothing came of it: an outage. */
  async function handle(batch: Entry[]): Promise<boolean> {
    const end = begin();
    const outcomes = await processBatch(
      consumer,
      batch.map(({ message }) => message),
    );
    end();
    const settled = new Set<Entry>();
    const dead: (Failure & { entry: Entry })[] = [];
    let retried = 0;
    for (const [index, entry] of batch.entries()) {
      const outcome = outcomes[index];
      if (!outcome || outcome.kind === 'later') continue;
      entry.attempts += 1;
      if (outcome.kind === 'done') settled.add(entry);
      else if (outcome.kind === 'unreadable' || entry.attempts >= maxAttempts)
        dead.push({ entry, topic: contract.topic, partition, raw: entry.raw, reason: outcome.reason });
      else {
        retried += 1;
        entry.nextAt = Date.now() + backoff(entry.attempts);
      }
    }
    const done = settled.size;
    const buried = dead.length > 0 && (await putAside(dead));
    if (buried) for (const { entry } of dead) settled.add(entry);
    entries = entries.filter((entry) => !settled.has(entry));
    count({ done, retried, dead: buried ? dead.length : 0 });
    onProgress(lane);
    return settled.size + retried > 0;
  }

  async function putAside(dead: Failure[]): Promise<boolean> {
    try {
      await bury(dead);
      return true;
    } catch (error) {
      log.warn({ group, topic: contract.topic, err: error }, 'a dead letter waits for Kafka');
      return false;
    }
  }

  async function run(): Promise<void> {
    let outages = 0;
    while (!stopping.signal.aborted) {
      const now = Date.now();
      const batch = due(now);
      if (batch.length === 0) {
        const soonest = Math.min(...entries.map(({ nextAt }) => nextAt), now + 60_000);
        await bell.wait(Math.max(soonest - now, 1));
        continue;
      }
      outages = (await handle(batch)) ? 0 : outages + 1;
      if (outages > 0) await pause(backoff(outages), stopping.signal);
    }
  }

  const lane: Lane = {
    push(messages, highWatermark) {
      // A topic that was made anew counts from 0 again.
      if (next !== undefined && BigInt(highWatermark) < next) next = undefined;
      for (const raw of messages) {
        const offset = BigInt(raw.offset);
        if (next !== undefined && offset < next) continue;
        next = offset + 1n;
        if (isFor(raw, group))
          entries.push({ offset, message: read(contract.topic, raw), raw, attempts: 0, nextAt: 0 });
      }
      onProgress(lane);
      bell.ring();
    },
    get size() {
      return entries.length;
    },
    get position() {
      return entries[0]?.offset ?? next;
    },
    async stop() {
      stopping.abort();
      bell.ring();
      await running;
    },
  };
  const running = run();
  return lane;
}

function isFor(raw: KafkaMessage, group: string): boolean {
  const only = raw.headers?.[replayHeader];
  return only === undefined || String(only) === group;
}

/** The event's id stands in its value: a message has none. */
export const read = (topic: string, { key, value }: KafkaMessage): Message => ({
  id: '',
  topic,
  key: key?.toString() ?? '',
  value: value?.toString() ?? '',
  headers: {},
});
