import type { Log } from '../platform/log.js';

export interface Swaps {
  /**
   * Puts a supergraph in the place of the one that is served, after those that were given before it.
   * @throws Error where it cannot be served
   */
  swap(sdl: string): Promise<void>;
  /** Waits for those under way, and until those that were replaced are closed. */
  close(): Promise<void>;
}

/** `open` begins to serve a supergraph; its answer resolves once the one before it is not used any more. */
export function createSwaps(options: {
  log: Log;
  open: (sdl: string) => Promise<{ retired: Promise<void> }>;
}): Swaps {
  const { log, open } = options;
  const retiring = new Set<Promise<void>>();
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  async function begin(sdl: string): Promise<void> {
    if (isClosed) throw new Error('the gateway is stopping');
    const { retired } = await open(sdl);
    const ended = retired
      .catch((err: unknown) =>
        log.error({ service: 'gateway', err }, 'an old supergraph could not be closed'),
      )
      .finally(() => retiring.delete(ended));
    retiring.add(ended);
  }

  return {
    swap(sdl) {
      const swapped = last.then(() => begin(sdl));
      last = swapped.catch(() => undefined);
      return swapped;
    },
    async close() {
      isClosed = true;
      await last;
      await Promise.all(retiring);
    },
  };
}
