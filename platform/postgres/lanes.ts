import { Socket } from 'node:net';
import pg from 'pg';
import { endOfTurn } from '../turn.js';
import { isStalePlan } from './errors.js';

/** So many connections carry reads, each so many at once. */
const lanesAtMost = 2;
const readsAtMost = 16;
/** A read that has not been answered after this long is slow: nothing waits behind it any more. */
const slowMs = 100;
/** What has not left or not been read because this process was busy has so long to come in. */
const graceMs = 10;
/** A connection that nobody has used for this long is closed, as in a pool. */
const idleMs = 10_000;
/** A connection that could not be made, or was lost, is made anew this much later. */
const againMs = 1_000;

export type PreparedStatement = { name: string; text: string; values: unknown[] };
type Rows = Record<string, unknown>[];

/** Runs statements that change nothing, and may therefore be run twice, on a few connections that they share. */
export interface Lanes {
  read(statement: PreparedStatement): Promise<Rows>;
  /** Waits for what is under way, then closes all; again is harmless. */
  close(): Promise<void>;
}

interface Read {
  statement: PreparedStatement;
  resolve(rows: Rows | Promise<Rows>): void;
  reject(error: Error): void;
}

/**
 * Sends reads one after the other down the same connections (pipelining), without waiting for the answers in
 * between, and those of one turn of the event loop in one piece: where many are under way, that halves what a read
 * costs here and in PostgreSQL, since nobody falls asleep and is woken for each. Nothing waits for long that would
 * not in a pool: a read goes to `elsewhere`, which is one, when no lane has room, and a second time when the read in
 * front of it turns out to be slow, or the connection is lost.
 */
export function createLanes(
  config: pg.ClientConfig,
  elsewhere: (read: PreparedStatement) => Promise<Rows>,
): Lanes {
  const lanes = new Set<Lane>();
  const turnAway = ({ statement, resolve }: Read): void => resolve(elsewhere(statement));
  let openAgainAt = 0;
  let closing: Promise<void> | undefined;

  function openAnother(): void {
    if (closing || lanes.size >= lanesAtMost || performance.now() < openAgainAt) return;
    if ([...lanes].some((lane) => lane.isOpening())) return;
    const lane = openLane(config, turnAway, () => {
      lanes.delete(lane);
      openAgainAt = performance.now() + againMs;
    });
    lanes.add(lane);
  }

  return {
    read(statement) {
      for (const lane of lanes) {
        if (lane.hasRoom())
          return new Promise((resolve, reject) => lane.send({ statement, resolve, reject }));
      }
      openAnother();
      return elsewhere(statement);
    },
    close() {
      closing ??= Promise.all([...lanes].map((lane) => lane.close())).then(() => undefined);
      return closing;
    },
  };
}

interface Lane {
  isOpening(): boolean;
  /** Whether a read would be sent at once, and soon be answered. */
  hasRoom(): boolean;
  send(read: Read): void;
  close(): Promise<void>;
}

/** `onGone` is told when it takes no more reads for good. */
function openLane(config: pg.ClientConfig, turnAway: (read: Read) => void, onGone: () => void): Lane {
  const socket = new Socket();
  const client = new pg.Client({ ...config, pipeline: true, stream: () => socket });
  /** Those that are to be answered from here, oldest first: PostgreSQL answers in this order. */
  const reads: Read[] = [];
  /** All that have been sent and not answered, those that have been turned away since included. */
  let onTheWay = 0;
  let state: 'opening' | 'open' | 'gone' = 'opening';
  let isSlow = false;
  let watch: NodeJS.Timeout | undefined;
  const idle = setTimeout(() => (onTheWay === 0 ? void retire() : idle.refresh()), idleMs);

  client.on('error', lose);
  // Before pg hears of it and fails what is under way.
  socket.on('close', lose);
  const opened = client.connect().then(() => {
    if (state === 'opening') state = 'open';
  }, lose);

  function lose(): void {
    leave();
    for (const read of reads.splice(0)) turnAway(read);
  }

  /** Takes no more, and ends once the last has been answered. */
  function retire(): Promise<void> {
    lose();
    return client.end();
  }

  function leave(): void {
    clearTimeout(idle);
    unwatch();
    if (state === 'gone') return;
    state = 'gone';
    onGone();
  }

  /** What is written in this turn of the event loop leaves in one piece at its end. */
  function gather(): void {
    if (socket.writableCorked > 0) return;
    socket.cork();
    void endOfTurn().then(() => socket.uncork());
  }

  function answered(read: Read, error: Error | null, rows: Rows): void {
    if (--onTheWay === 0) {
      unwatch();
      isSlow = false;
    }
    const place = reads.indexOf(read);
    if (place === -1) return;
    reads.splice(place, 1);
    if (!error) read.resolve(rows);
    else if (isMissing(error)) {
      // The Parse it counted on failed, or pg closed the statement: it never ran. A new lane has it again.
      void retire();
      turnAway(read);
    } else {
      // Every read of that statement would fail on this connection; on a new one it works.
      if (isStalePlan(error)) void retire();
      read.reject(error);
    }
  }

  function unwatch(): void {
    clearTimeout(watch);
    watch = undefined;
  }

  /** Looks again and again whether the read in front has been answered, for as long as there is one. */
  function look(before: Read | undefined): void {
    const verdict = (): unknown => setImmediate(() => watch === mine && judge(before));
    const mine = setTimeout(() => setTimeout(verdict, graceMs), slowMs);
    watch = mine;
  }

  function judge(before: Read | undefined): void {
    if (reads[0] === before) {
      isSlow = true;
      for (const read of reads.splice(1)) turnAway(read);
    }
    look(reads[0]);
  }

  return {
    isOpening: () => state === 'opening',
    hasRoom: () => state === 'open' && !isSlow && onTheWay < readsAtMost,
    send(read) {
      gather();
      idle.refresh();
      reads.push(read);
      if (++onTheWay === 1) look(read);
      let isOver = false;
      client.query<Record<string, unknown>>(read.statement, (error, result) => {
        // pg calls twice where a value cannot be sent.
        if (isOver) return;
        isOver = true;
        answered(read, error, error ? [] : result.rows);
      });
    },
    async close() {
      await opened;
      leave();
      // A server that hangs takes no leave: it is not waited for, as in a pool.
      const patience = setTimeout(() => (onTheWay === 0 ? socket.destroy() : patience.refresh()), againMs);
      await client.end();
      clearTimeout(patience);
    },
  };
}

/** "Prepared statement does not exist", "… already exists". */
const isMissing = (error: Error): boolean =>
  'code' in error && (error.code === '26000' || error.code === '42P05');
