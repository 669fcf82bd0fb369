import { createBell, pause } from '../bell.js';
import { backoff } from '../bus/bus.js';
import { badInput, problem } from '../errors.js';
import type { Log } from '../log.js';
import { type Channel, createChannel } from './channel.js';
import { noteCommit } from './commit-time.js';

/**
 * What a watcher asks the database: the changes of one thing past a position. What a position is only the
 * database knows: it orders them, and compares them.
 */
export interface Watch<P = number> {
  /** What is watched: the id of a thing, or a filter as a text. */
  id: string;
  /** null asks for the present state. */
  after: P | null;
  /** So many changes at most are wanted now, from the first one on. */
  limit: number;
  /** It has been read before: where nothing is new, nothing has to be said. */
  known: boolean;
}

/** What the database answers about one watch, all of it as of one moment. */
export interface Reading<T, P = number> {
  /** The user it belongs to; left out for what is nobody's, which can be watched only where no rule says who may. */
  ownerId?: string;
  /** Another user who may see it for now. */
  guestId?: string | null;
  /** `after` lies beyond the last position there is. */
  ahead?: boolean;
  /** In order. `at` is when it was committed, as near as its row can tell. */
  changes: { value: T; at: Date }[];
  /** The position to go on from; null where there is no change yet. */
  position: P | null;
  /** There are more changes than were wanted. */
  more: boolean;
  /** Nothing can change any more after these, and what more there is. */
  ended: boolean;
  /** There are changes that cannot be put in order yet, since others may still come before them. */
  unsettled?: boolean;
}

/** One statement for all watches; answers in their order. Undefined is what is not there, and what is known and has nothing new. */
export type Read<T, P = number> = (watches: Watch<P>[]) => Promise<(Reading<T, P> | undefined)[]>;

/** Whether somebody may watch what belongs to this user, and which another may see for now. */
export type MayWatch = (ownerId: string, guestId: string | null) => boolean;

export interface LiveSource<T, P = number> {
  /** Something happened to this thing: look at the database soon. */
  ring(id: string): void;
  /** Something may have happened to anything: rings may have been lost. */
  ringAll(): void;
  /**
   * The present state (or, with `after`, every change since), then each change once, in order, until
   * nothing can change any more. Ends with NOT_FOUND where `mayWatch(ownerId, guestId)` says no, or where the
   * thing stays unknown for `unknownMs`; with BAD_USER_INPUT when `after` lies in the future. Who does not
   * read what is there is not read for: it costs a queue of a bounded length, however much there is.
   */
  watch(options: { id: string; after: P | null; mayWatch?: MayWatch }): AsyncIterableIterator<T>;
  stop(): Promise<void>;
}

interface Watcher<T, P> {
  id: string;
  after: P | null;
  mayWatch: MayWatch | undefined;
  /** Set when the database first says that it does not know the thing. */
  unknownUntil: number | undefined;
  known: boolean;
  /** When it may be told more. */
  pausesUntil: number;
  /** It has been handed all there was: what comes now has just happened. */
  current: boolean;
  /** It is looked for again once it has read what waits for it. */
  full: boolean;
  gone: boolean;
  /** When to look again without a ring. */
  timer: NodeJS.Timeout | undefined;
  channel: Channel<T>;
}

/** How often to look for what is not known yet. */
const unknownPollMs = 200;
/** How soon to look again for what could not be put in order: as soon as a transaction that is under way may have ended. */
const unsettledPollMs = 20;
/** So many watches are read in one statement, which keeps no one waiting for long. */
const watchesAtOnce = 1_000;
/** So many changes are read for one watcher at once, ... */
const pageSize = 500;
/** ... and about so many for all in one statement: all may have been away for long. */
const changesAtOnce = 10_000;
/** Nothing is read for who has half of it waiting, so it never runs over. */
const queueLimit = 2 * pageSize;

/**
 * Changes as they happen: events are the doorbell, the database is the truth. On each ring, and every
 * 5 s, calls of `read` ask for all watchers that are concerned, each past its own position, so
 * that nothing is missed or seen twice whatever happens to the events.
 */
export function createLiveSource<T extends object, P = number>(options: {
  name: string;
  log: Log;
  /** How long a thing may stay unknown: others may hear of it a moment before this service does. */
  unknownMs: number;
  /** The position before the first change. */
  start: P;
  /**
   * A watcher is told of changes no more often than this: for things of which the latest state alone counts, and `read`
   * tells no other; 0 ms.
   */
  paceMs?: number;
  /** The database is read this often even when no bell rings: a doorbell may get lost, a change may not. */
  pollMs?: number;
  read: Read<T, P>;
}): LiveSource<T, P> {
  const { name, log, unknownMs, start, paceMs = 0, pollMs = 5_000, read } = options;
  const watchers = new Map<string, Set<Watcher<T, P>>>();
  const dirty = new Set<Watcher<T, P>>();
  const bell = createBell();
  const stopping = new AbortController();
  /** Everybody, as of when it was last time to look for all, and how many of them have been read since. */
  let sweep: Watcher<T, P>[] = [];
  let swept = 0;
  let sweptAt = Date.now();
  let sweepSoon = false;

  function forget(watcher: Watcher<T, P>): void {
    watcher.gone = true;
    clearTimeout(watcher.timer);
    dirty.delete(watcher);
    const others = watchers.get(watcher.id);
    others?.delete(watcher);
    if (others?.size === 0) watchers.delete(watcher.id);
  }

  function look(watcher: Watcher<T, P>): void {
    if (watcher.gone) return;
    dirty.add(watcher);
    bell.ring();
  }

  function lookLater(watcher: Watcher<T, P>, ms: number): void {
    clearTimeout(watcher.timer);
    if (!watcher.gone) watcher.timer = setTimeout(look, ms, watcher);
  }

  function applyUnknown(watcher: Watcher<T, P>): void {
    // There is no present state: whatever comes will be its first change.
    watcher.after ??= start;
    watcher.unknownUntil ??= Date.now() + unknownMs;
    const left = watcher.unknownUntil - Date.now();
    if (left <= 0) watcher.channel.end(notFound(name));
    else lookLater(watcher, Math.min(unknownPollMs, left));
  }

  function apply(watcher: Watcher<T, P>, reading: Reading<T, P>): void {
    const { channel, mayWatch, current } = watcher;
    const { ownerId, guestId = null } = reading;
    if (mayWatch && (ownerId === undefined || !mayWatch(ownerId, guestId))) {
      channel.end(notFound(name));
      return;
    }
    if (reading.ahead && !watcher.known) {
      channel.end(badInput(`after is a cursor that this ${name} has not reached.`, 'after'));
      return;
    }
    watcher.known = true;
    watcher.after = reading.position ?? start;
    watcher.current = !reading.more;
    if (reading.changes.length > 0) watcher.pausesUntil = Date.now() + paceMs;
    for (const { value, at } of reading.changes) {
      if (current) noteCommit(value, at);
      channel.push(value);
    }
    if (reading.more) look(watcher);
    else if (reading.ended) channel.end();
    else if (reading.unsettled) lookLater(watcher, unsettledPollMs);
  }

  async function round(concerned: Watcher<T, P>[]): Promise<void> {
    const limit = Math.ceil(Math.min(pageSize, changesAtOnce / concerned.length));
    const readings = await read(concerned.map(({ id, after, known }) => ({ id, after, known, limit })));
    for (const [index, watcher] of concerned.entries()) {
      const reading = readings[index];
      try {
        if (reading) apply(watcher, reading);
        else if (!watcher.known) applyUnknown(watcher);
      } catch (error) {
        // A bug in one watcher's rules ends that one: the others go on.
        watcher.channel.end(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  /** Is it time to read for it, and is there room? If there is none, reading goes on when half of what waits has been taken. */
  function isReady(watcher: Watcher<T, P>): boolean {
    const pause = watcher.pausesUntil - Date.now();
    if (pause > 0) {
      lookLater(watcher, pause);
      return false;
    }
    if (watcher.channel.size < pageSize) return true;
    watcher.full = true;
    watcher.current = false;
    return false;
  }

  /** Who is read for next: those who were rung for, then as many of the rest as it is time to look for. */
  function next(): Watcher<T, P>[] {
    if (swept >= sweep.length && (sweepSoon || Date.now() - sweptAt >= pollMs)) {
      sweep = [...watchers.values()].flatMap((some) => [...some]);
      swept = 0;
      sweptAt = Date.now();
      sweepSoon = false;
    }
    const concerned = new Set<Watcher<T, P>>();
    for (const watcher of dirty) {
      if (concerned.size === watchesAtOnce) break;
      dirty.delete(watcher);
      if (isReady(watcher)) concerned.add(watcher);
    }
    for (; concerned.size < watchesAtOnce && swept < sweep.length; swept += 1) {
      const watcher = sweep[swept];
      if (watcher && !watcher.gone && isReady(watcher)) concerned.add(watcher);
    }
    // Nobody who has gone is to be kept here until it is time again.
    if (swept >= sweep.length) sweep = [];
    return [...concerned];
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const concerned = next();
      if (concerned.length === 0) {
        await bell.wait(Math.max(sweptAt + pollMs - Date.now(), 1));
        continue;
      }
      try {
        await round(concerned);
        failures = 0;
      } catch (error) {
        failures += 1;
        log.warn({ service: name, err: error }, 'live changes wait for the database');
        for (const watcher of concerned) if (!watcher.gone) dirty.add(watcher);
        await pause(backoff(failures), stopping.signal);
      }
    }
  }

  const running = run();
  return {
    ring(id) {
      for (const watcher of watchers.get(id) ?? []) look(watcher);
    },
    ringAll() {
      sweepSoon = true;
      bell.ring();
    },
    watch({ id, after, mayWatch }) {
      const watcher: Watcher<T, P> = {
        id,
        after,
        mayWatch,
        unknownUntil: undefined,
        known: false,
        pausesUntil: 0,
        current: false,
        full: false,
        gone: false,
        timer: undefined,
        channel: createChannel<T>({
          onClose: () => forget(watcher),
          limit: queueLimit,
          overflow: () => new Error('more was read for a watcher than it has room for'),
          onTake() {
            if (!watcher.full || watcher.channel.size >= pageSize) return;
            watcher.full = false;
            look(watcher);
          },
        }),
      };
      if (stopping.signal.aborted) {
        watcher.channel.end(away());
        return watcher.channel;
      }
      const others = watchers.get(id) ?? new Set();
      watchers.set(id, others.add(watcher));
      look(watcher);
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
