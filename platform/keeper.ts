import { pause } from './bell.js';
import { backoff } from './bus/bus.js';

export type KeeperLog = (line: string, level: 'debug' | 'info' | 'error') => void;

/** A server that runs; a process that is long dead may have started it. */
export interface Running {
  pid: number;
  /** Resolves when it has ended, for whatever reason, with how: 'has ended', 'ended with SIGKILL'. */
  ended: Promise<string>;
}

/** How a kind of server is started and stopped. */
export interface Keeping<S extends Running> {
  /** What logs call it. */
  name: string;
  log: KeeperLog;
  /**
   * Takes over the one that was left running, or starts one: like `first` where that is given, and until the signal
   * aborts. Tells the number of each process that is tried, before it is ready.
   */
  start(options: { first?: S; signal?: AbortSignal; onSpawn: (pid: number) => void }): Promise<S>;
  /** Tells it to stop. Does not wait, and does not throw: this is all that a process which exits can do. */
  interrupt(pid: number): void;
  /** Stops it, however long that takes, unless it has ended; resolves when it is gone. */
  stop(pid: number): Promise<void>;
}

export interface Kept<S> {
  first: S;
  /** Of the one that runs; while it is started again, of the one that was. */
  pid(): number;
  /** Stops it, whoever started it, and resolves when its process is gone. */
  stop(): Promise<void>;
}

/** A server that ran for this long, in ms, was sound: when it ends, the next one is started at once. */
const soundMs = 60_000;

/**
 * Keeps a server of ours running, and starts it again whenever it ends before `stop`. When this process exits
 * without having called that, it is told to stop (a kill -9 leaves it running, for the next start to find).
 */
export async function keep<S extends Running>(keeping: Keeping<S>): Promise<Kept<S>> {
  const { name, log } = keeping;
  const stopped = new AbortController();
  /** Of the one that runs, or that is starting. */
  let pid: number | undefined;
  let last = 0;
  let starts = 0;
  let startedAt = 0;
  let restarting = Promise.resolve();

  async function begin(options: { first?: S; signal?: AbortSignal } = {}): Promise<S> {
    starts += 1;
    const onSpawn = (spawned: number) => {
      pid = spawned;
    };
    const server = await keeping.start({ ...options, onSpawn });
    void server.ended.then(onEnd);
    pid = last = server.pid;
    startedAt = Date.now();
    return server;
  }

  function onEnd(how: string): void {
    if (stopped.signal.aborted) return;
    pid = undefined;
    log(`${name} is gone: it ${how}; it is started again`, 'error');
    if (Date.now() - startedAt > soundMs) starts = 0;
    restarting = restart();
  }

  async function restart(): Promise<void> {
    for (;;) {
      // The first end in a while is answered at once.
      if (starts > 1) await pause(backoff(starts - 1, { firstMs: 200, capMs: 10_000 }), stopped.signal);
      if (stopped.signal.aborted) return;
      try {
        await begin({ first, signal: stopped.signal });
        return log(`${name} runs again`, 'info');
      } catch (error) {
        pid = undefined;
        if (!stopped.signal.aborted) log(error instanceof Error ? error.message : String(error), 'error');
      }
    }
  }

  function interrupt(): void {
    if (pid !== undefined) keeping.interrupt(pid);
  }

  async function stop(): Promise<void> {
    stopped.abort();
    // One that is being started again need not become ready first.
    interrupt();
    await restarting;
    if (pid !== undefined) await keeping.stop(pid);
    process.off('exit', interrupt);
  }

  process.once('exit', interrupt);
  const first = await begin().catch((error: unknown) => {
    process.off('exit', interrupt);
    throw error;
  });
  let stopping: Promise<void> | undefined;
  return { first, pid: () => last, stop: () => (stopping ??= stop()) };
}
