import type { Log } from './log.js';

interface Part {
  name: string;
  stop: () => Promise<void>;
}

/** A start ended because it was told to stop. */
export class StoppedError extends Error {
  override name = 'StoppedError';
  /** Whether all that had been started was stopped in time. */
  readonly clean: boolean;

  constructor(clean: boolean) {
    super('stopped before everything was started');
    this.clean = clean;
  }
}

/**
 * What has been started, in order, so that it can be stopped in the reverse order. Each part drains
 * what it has under way before it resolves; what is not done by `timeoutMs` in all is left behind.
 */
export class Lifecycle {
  readonly #parts: Part[] = [];
  /** Parts whose start is under way. They never reject. */
  readonly #starting = new Set<Promise<unknown>>();
  readonly #stop = new AbortController();
  readonly #log: Log;
  readonly #timeoutMs: number;
  #stopping: Promise<boolean> | undefined;

  constructor(options: { log: Log; timeoutMs: number }) {
    this.#log = options.log;
    this.#timeoutMs = options.timeoutMs;
  }

  get stopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** Aborted when stopping begins: for what a start may have to wait for. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /**
   * Runs a start that is made of parts. When it fails, or `told` aborts before it is through, everything is
   * stopped, and it throws the failure, or StoppedError: within the time limit, even where the start hangs.
   */
  async begin<T>(start: () => Promise<T>, told?: AbortSignal): Promise<T> {
    let tell = (): void => {};
    const stopped = new Promise<never>((_, reject) => {
      tell = () => void this.stop().then((clean) => reject(new StoppedError(clean)));
    });
    told?.addEventListener('abort', tell);
    try {
      told?.throwIfAborted();
      return await Promise.race([start(), stopped]);
    } catch (error) {
      const clean = await this.stop();
      throw told?.aborted ? new StoppedError(clean) : error;
    } finally {
      told?.removeEventListener('abort', tell);
    }
  }

  /**
   * Starts a part and remembers how to stop it. Throws what `start` throws; nothing starts once
   * stopping has begun.
   */
  async start<T>(
    name: string,
    start: () => Promise<T> | T,
    stop: (part: T) => Promise<void> | void,
  ): Promise<T> {
    if (this.#stopping) throw new Error(`stopping: ${name} is not started`);
    const starting = this.#start(name, start, stop);
    const settled = starting.catch(() => undefined);
    this.#starting.add(settled);
    try {
      return await starting;
    } finally {
      this.#starting.delete(settled);
    }
  }

  async #start<T>(
    name: string,
    start: () => Promise<T> | T,
    stop: (part: T) => Promise<void> | void,
  ): Promise<T> {
    const part = await start();
    if (this.#stopping) {
      await stop(part);
      throw new Error(`stopping: ${name} is not kept`);
    }
    this.#parts.push({ name, stop: async () => stop(part) });
    this.#log.debug({ part: name }, 'started');
    return part;
  }

  /** Stops everything once, last started first, after what is just starting. Resolves to false when the time ran out or a part failed to stop. */
  stop(): Promise<boolean> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<boolean> {
    const deadline = Date.now() + this.#timeoutMs;
    this.#stop.abort();
    // What is starting stands on what has been started: that must not be gone before it.
    const begun = Promise.all(this.#starting).then(() => undefined);
    let clean = (await within(begun, this.#timeoutMs)) === 'done';
    if (!clean) this.#log.error('what was starting did not end in time');
    for (let part = this.#parts.pop(); part; part = this.#parts.pop()) {
      const outcome = await within(part.stop(), Math.max(deadline - Date.now(), 100));
      if (outcome === 'done') this.#log.debug({ part: part.name }, 'stopped');
      else {
        clean = false;
        this.#log.error(
          { part: part.name, ...(outcome === 'late' ? {} : { err: outcome }) },
          'did not stop cleanly',
        );
      }
    }
    return clean;
  }
}

async function within(work: Promise<void>, ms: number): Promise<'done' | 'late' | Error> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms);
  });
  try {
    return await Promise.race([
      work.then(
        () => 'done' as const,
        (error: unknown) => asError(error),
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
