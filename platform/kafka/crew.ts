import { setImmediate as afterReading } from 'node:timers/promises';
import type { KafkaMessage } from 'kafkajs';
import { createBell, pause } from '../bell.js';
import { type Outcome, processBatch } from '../bus/batch.js';
import { type AnyConsumer, backoff, maxAttempts } from '../bus/bus.js';
import { countOutcomes, timeHandling } from '../bus/outcomes.js';
import type { Log } from '../log.js';
import { reasonOf } from './client.js';
import type { Entry, Lane } from './lane.js';

/** A message that failed for good, as it came, and why. */
export interface Failure {
  topic: string;
  partition: number;
  raw: KafkaMessage;
  reason: string;
}

/** Handles what waits in the lanes of one consumer. */
export interface Crew {
  /** The lanes have changed, or have more. */
  ring(): void;
  /** Ends once the handlers that run have ended; what waits is left to whoever has the partitions next. */
  stop(): Promise<void>;
}

/**
 * So many transactions of a consumer run side by side, of different partitions each. More of them would be
 * smaller ones: while they run, the lanes fill for the next.
 */
const sideBySide = 2;

export function createCrew(options: {
  consumer: AnyConsumer;
  /** Those that are ours now. */
  lanes: () => Iterable<Lane>;
  batchSize: number;
  log: Log;
  /** Puts messages aside for good; rejects when that is not known. */
  bury(failures: Failure[]): Promise<void>;
  /** Called when the position or the size of a lane has changed. */
  onProgress(lane: Lane): void;
}): Crew {
  const { consumer, lanes, batchSize, log, bury, onProgress } = options;
  const { group, contract } = consumer;
  const { topic } = contract;
  const stopping = new AbortController();
  let turns = 1;

  /** Takes what is due of the lanes that nobody works on, each for as long as its share is handled. */
  function take(): { batch: Entry[]; waitMs: number } {
    const now = Date.now();
    const batch: Entry[] = [];
    let soonest = now + 60_000;
    // Who was served last comes last: a full lane must not keep the others waiting.
    const idle = [...lanes()].filter(({ busy }) => !busy).sort((one, other) => one.served - other.served);
    for (const lane of idle) {
      const share = lane.due(now, batchSize - batch.length);
      batch.push(...share);
      lane.busy = share.length > 0;
      if (lane.busy) lane.served = turns++;
      soonest = Math.min(soonest, lane.soonest(now));
    }
    return { batch, waitMs: Math.max(soonest - now, 1) };
  }

  /** Handles a batch and settles it. Answers false when nothing came of it: an outage. */
  async function handle(batch: Entry[]): Promise<boolean> {
    const end = timeHandling(group, topic);
    const outcomes = await processBatch(
      consumer,
      batch.map(({ message }) => message),
    );
    end();
    const { settled, dead, retried } = judge(batch, outcomes);
    const done = settled.size;
    const buried = dead.size > 0 && (await putAside(dead));
    if (buried) for (const entry of dead.keys()) settled.add(entry);
    for (const lane of new Set(batch.map((entry) => entry.lane))) {
      lane.settle(settled);
      onProgress(lane);
    }
    countOutcomes(group, topic, { done, retried, dead: buried ? dead.size : 0 });
    return settled.size + retried > 0;
  }

  async function putAside(dead: Map<Entry, string>): Promise<boolean> {
    try {
      await bury(
        [...dead].map(([{ lane, raw }, reason]) => ({ topic, partition: lane.partition, raw, reason })),
      );
      return true;
    } catch (error) {
      log.warn({ group, topic, reason: reasonOf(error) }, 'a dead letter waits for Kafka');
      return false;
    }
  }

  function createWorker() {
    const bell = createBell();
    async function run(): Promise<void> {
      for (let outages = 0; !stopping.signal.aborted; ) {
        const { batch, waitMs } = take();
        if (batch.length === 0) {
          await bell.wait(waitMs);
          // One fetch brings something for several lanes, one after the other.
          await afterReading();
          continue;
        }
        outages = (await handle(batch)) ? 0 : outages + 1;
        if (outages > 0) await pause(backoff(outages), stopping.signal);
        for (const { lane } of batch) lane.busy = false;
      }
    }
    return { ring: () => bell.ring(), running: run() };
  }

  const workers = Array.from({ length: sideBySide }, createWorker);
  const ring = () => {
    for (const worker of workers) worker.ring();
  };
  return {
    ring,
    async stop() {
      stopping.abort();
      ring();
      await Promise.all(workers.map(({ running }) => running));
    },
  };
}

/** What became of each message: settled, to be put aside with a reason, to be tried again later, or waiting. */
function judge(batch: readonly Entry[], outcomes: readonly Outcome[]) {
  const settled = new Set<Entry>();
  const dead = new Map<Entry, string>();
  let retried = 0;
  for (const [index, entry] of batch.entries()) {
    const outcome = outcomes[index];
    if (!outcome || outcome.kind === 'later') continue;
    entry.attempts += 1;
    if (outcome.kind === 'done') settled.add(entry);
    else if (outcome.kind === 'unreadable' || entry.attempts >= maxAttempts) dead.set(entry, outcome.reason);
    else {
      retried += 1;
      entry.nextAt = Date.now() + backoff(entry.attempts);
    }
  }
  return { settled, dead, retried };
}
