import { createBell, pause } from '../bell.js';
import { backoff } from '../bus/bus.js';
import { badInput, problem } from '../errors.js';
import type { Log } from '../log.js';
import { type Channel, createChannel } from './channel.js';

/** What a watcher asks the database: the changes of one thing past a sequence number. */
export interface Watch {
  id: string;
  /** null asks for the present state: the last change alone. */
  after: number | null;
}

/** What the database answers, all of it as of one moment. */
export interface Reading<T> {
  /** The user it belongs to; null where the service has not heard of it (yet). */
  ownerId: string | null;
  /** The last sequence number there is; 0 when nothing has happened. */
  last: number;
  changes: { sequence: number; value: T }[];
  /** Nothing can change any more. */
  ended: boolean;
}

export interface LiveSource<T> {
  /** Something happened to this thing: look at the database soon. */
  ring(id: string): void;
  /**
   * The present state (or, with `after`, every change since), then each change once, in order, until
   * nothing can change any more. Ends with NOT_FOUND where `mayWatch(ownerId)` says no, or where the
   * thing stays unknown for `unknownMs`; with BAD_USER_INPUT when `after` lies in the future.
   */
  watch(options: Watch & { mayWatch: (ownerId: string) => boolean }): AsyncIterableIterator<T>;
  stop(): Promise<void>;
}

interface Watcher<T> extends Watch {
  mayWatch: (ownerId: string) => boolean;
  /** Set when the database first says that it does not know the thing. */
  unknownUntil: number | undefined;
  known: boolean;
  channel: Channel<T>;
}

/** How often to look for what is not known yet. */
const unknownPollMs = 200;
const queueLimit = 1_000;

/**
 * Changes as they happen: events are the doorbell, the database is the truth. On each ring, and every
 * 5 s, one call of `read` asks for all watchers that are concerned, each past its own position, so
 * that nothing is missed or seen twice whatever happens to the events.
 */
export function createLiveSource<T>(options: {
  name: string;
  log: Log;
  /** How long a thing may stay unknown: others may hear of it a moment before this service does. */
  unknownMs: number;
  /** The database is read this often even when no bell rings: a doorbell may get lost, a change may not. */
  pollMs?: number;
  /** One statement for all watches; answers in their order. */
  read: (watches: Watch[]) => Promise<Reading<T>[]>;
}): LiveSource<T> {
  const { name, log, unknownMs, pollMs = 5_000, read } = options;
  const watchers = new Map<string, Set<Watcher<T>>>();
  const dirty = new Set<Watcher<T>>();
  const bell = createBell();
  const stopping = new AbortController();

  function forget(watcher: Watcher<T>): void {
    dirty.delete(watcher);
    const others = watchers.get(watcher.id);
    others?.delete(watcher);
    if (others?.size === 0) watchers.delete(watcher.id);
  }

  function apply(watcher: Watcher<T>, reading: Reading<T>): void {
    const { channel } = watcher;
    if (reading.ownerId === null) {
      // There is no present state: whatever comes will be its first change.
      watcher.after ??= 0;
      watcher.unknownUntil ??= Date.now() + unknownMs;
      if (Date.now() >= watcher.unknownUntil) channel.end(notFound(name));
      return;
    }
    if (!watcher.mayWatch(reading.ownerId)) {
      channel.end(notFound(name));
      return;
    }
    if (!watcher.known && watcher.after !== null && watcher.after > reading.last) {
      channel.end(badInput(`after is a cursor that this ${name} has not reached.`, 'after'));
      return;
    }
    watcher.known = true;
    for (const { sequence, value } of reading.changes) {
      if (watcher.after !== null && sequence <= watcher.after) continue;
      watcher.after = sequence;
      channel.push(value);
    }
    watcher.after ??= reading.last;
    if (reading.ended) channel.end();
  }

  async function round(concerned: Watcher<T>[]): Promise<void> {
    const readings = await read(concerned.map(({ id, after }) => ({ id, after })));
    for (const [index, watcher] of concerned.entries()) {
      const reading = readings[index];
      try {
        if (reading) apply(watcher, reading);
      } catch (error) {
        // A bug in one watcher's rules ends that one: the others go on.
        watcher.channel.end(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  async function run(): Promise<void> {
    let failures = 0;
    let polledAt = Date.now();
    while (!stopping.signal.aborted) {
      const everyone = [...watchers.values()].flatMap((some) => [...some]);
      const pollDue = Date.now() - polledAt >= pollMs;
      if (pollDue) polledAt = Date.now();
      const concerned = pollDue ? everyone : everyone.filter((one) => dirty.has(one) || !one.known);
      dirty.clear();
      try {
        if (concerned.length > 0) await round(concerned);
        failures = 0;
      } catch (error) {
        failures += 1;
        log.warn({ service: name, err: error }, 'live changes wait for the database');
        for (const watcher of concerned) if (watchers.get(watcher.id)?.has(watcher)) dirty.add(watcher);
        await pause(backoff(failures), stopping.signal);
        continue;
      }
      const looking = everyone.some((one) => !one.known);
      if (dirty.size === 0)
        await bell.wait(looking ? unknownPollMs : Math.max(polledAt + pollMs - Date.now(), 1));
    }
  }

  const running = run();
  return {
    ring(id) {
      const concerned = watchers.get(id);
      if (!concerned) return;
      for (const watcher of concerned) dirty.add(watcher);
      bell.ring();
    },
    watch({ id, after, mayWatch }) {
      const watcher: Watcher<T> = {
        id,
        after,
        mayWatch,
        unknownUntil: undefined,
        known: false,
        channel: createChannel<T>({
          onClose: () => forget(watcher),
          limit: queueLimit,
          overflow: () =>
            problem('SERVICE_UNAVAILABLE', 'You read too slowly; come back with your last cursor.'),
        }),
      };
      if (stopping.signal.aborted) {
        watcher.channel.end(away());
        return watcher.channel;
      }
      const others = watchers.get(id) ?? new Set();
      watchers.set(id, others.add(watcher));
      dirty.add(watcher);
      bell.ring();
      return watcher.channel;
    },
    async stop() {
      stopping.abort();
      bell.ring();
      await running;
      for (const some of watchers.values()) for (const { channel } of [...some]) channel.end(away());
    },
  };
}

const notFound = (name: string) => problem('NOT_FOUND', `There is no such ${name}.`);
const away = () =>
  problem('SERVICE_UNAVAILABLE', 'The service is restarting; come back with your last cursor.');
