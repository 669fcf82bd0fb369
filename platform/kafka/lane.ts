import type { KafkaMessage } from 'kafkajs';
import type { Message } from '../bus/event.js';

/** A message that has not been settled yet. */
export interface Entry {
  lane: Lane;
  offset: bigint;
  message: Message;
  raw: KafkaMessage;
  attempts: number;
  /** Not to be tried before, on the clock of Date.now(). */
  nextAt: number;
}

/**
 * What has been fetched of one partition, in order. A message that fails waits for its next try, and the later
 * ones of its key with it, while all other keys go on; so the position, up to which offsets may be committed,
 * is that of the oldest message that waits.
 */
export interface Lane {
  topic: string;
  partition: number;
  /** Set while some of it are being handled: what is of one key must not be handled side by side. */
  busy: boolean;
  /** Its last turn, of those that all lanes took; 0 before the first. */
  served: number;
  /** What has been committed of it, so far as is known: it is never fetched again from before that. */
  committed: bigint;
  /** Adds what was fetched; what it has had already is left out. */
  push(messages: KafkaMessage[]): void;
  /** The oldest that may be tried at `now`, each key from its first; `most` at most. */
  due(now: number, most: number): Entry[];
  /** When the next one that waits may be tried; Infinity when none waits. */
  soonest(now: number): number;
  settle(settled: ReadonlySet<Entry>): void;
  /** How many wait or are being handled, and their bytes. */
  readonly size: number;
  readonly bytes: number;
  /** Everything before this offset is settled; undefined while nothing has come. */
  readonly position: bigint | undefined;
}

/** Names the one group that a replayed dead letter is for. */
export const replayHeader = 'doorstep-replay-for';

export function createLane(group: string, topic: string, partition: number): Lane {
  let entries: Entry[] = [];
  let bytes = 0;
  let next: bigint | undefined;
  const lane: Lane = {
    topic,
    partition,
    busy: false,
    served: 0,
    committed: 0n,
    push(messages) {
      // A topic that was made anew counts from 0 again, and what was of the old one is no more.
      if (BigInt(messages[0]?.offset ?? lane.committed) < lane.committed) {
        entries = [];
        bytes = 0;
        next = undefined;
        lane.committed = 0n;
      }
      for (const raw of messages) {
        const offset = BigInt(raw.offset);
        if (next !== undefined && offset < next) continue;
        next = offset + 1n;
        if (!isFor(raw, group)) continue;
        entries.push({ lane, offset, message: read(topic, raw), raw, attempts: 0, nextAt: 0 });
        bytes += sizeOf(raw);
      }
    },
    due(now, most) {
      const waiting = new Set<string>();
      const batch: Entry[] = [];
      for (const entry of entries) {
        if (batch.length === most) break;
        const { key } = entry.message;
        if (entry.nextAt > now) waiting.add(key);
        else if (!waiting.has(key)) batch.push(entry);
      }
      return batch;
    },
    soonest: (now) =>
      entries.reduce((soonest, { nextAt }) => (nextAt > now ? Math.min(soonest, nextAt) : soonest), Infinity),
    settle(settled) {
      entries = entries.filter((entry) => {
        if (settled.has(entry)) bytes -= sizeOf(entry.raw);
        return !settled.has(entry);
      });
    },
    get size() {
      return entries.length;
    },
    get bytes() {
      return bytes;
    },
    get position() {
      return entries[0]?.offset ?? next;
    },
  };
  return lane;
}

const sizeOf = ({ value }: KafkaMessage): number => value?.length ?? 0;

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
