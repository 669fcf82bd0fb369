import type { Log } from './log.js';

interface Part {
  name: string;
  stop: () => Promise<void>;
}

/**
 * What has been started, in order, so that it can be stopped in the reverse order. Each part drains
 * what it has under way before it resolves; what is not done by `timeoutMs` in all is left behind.
 */
export class Lifecycle {
  readonly #parts: Part[] = [];
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
    const part = await start();
    if (this.#stopping) {
      // Stopping began meanwhile, and may be through with its list.
      await stop(part);
      throw new Error(`stopping: ${name} is not kept`);
    }
    this.#parts.push({ name, stop: async () => stop(part) });
    this.#log.debug({ part: name }, 'started');
    return part;
  }

  /** Stops everything once, last started first. Resolves to false when the time ran out or a part failed to stop. */
  stop(): Promise<boolean> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<boolean> {
    const deadline = Date.now() + this.#timeoutMs;
    let clean = true;
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
