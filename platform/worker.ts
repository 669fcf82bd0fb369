import { type Bell, createBell, pause } from './bell.js';
import { backoff } from './bus/bus.js';
import type { Log } from './log.js';

/** Something that runs beside the requests until it is stopped. */
export interface Worker {
  stop(): Promise<void>;
}

/**
 * Works again and again for as long as `work` says that there may be more, then waits for the bell or
 * the next look. A failure is logged and tried again, sooner than the next look. Stopping waits for
 * the work under way.
 */
export function repeat(options: {
  name: string;
  /** How long to wait for the bell. */
  pollMs: number;
  bell?: Bell;
  log: Log;
  work: () => Promise<boolean>;
}): Worker {
  const { name, pollMs, bell = createBell(), log, work } = options;
  const stopping = new AbortController();
  async function run(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      try {
        const more = await work();
        failures = 0;
        if (!more) await bell.wait(pollMs);
      } catch (error) {
        failures += 1;
        log.warn({ worker: name, err: error }, 'a worker failed and tries again');
        await pause(backoff(failures), stopping.signal);
      }
    }
  }
  const running = run();
  return {
    async stop() {
      stopping.abort();
      bell.ring();
      await running;
    },
  };
}
