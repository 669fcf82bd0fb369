import type { Log } from './log.js';
import { repeat, type Worker } from './worker.js';

const everyMs = 5_000;

/**
 * Fills gauges whose values must be asked for: now, and every 5 s until it is stopped. What cannot be
 * measured, or is no longer, has no series (`forget` removes them), rather than one that stands still.
 * Not when Prometheus asks: an answer that waited for a database would be late just when it matters.
 */
export function startMeasuring(options: {
  name: string;
  log: Log;
  measure: () => Promise<void>;
  forget: () => void;
  pollMs?: number | undefined;
}): Worker {
  const { name, log, measure, forget, pollMs = everyMs } = options;
  const worker = repeat({
    name,
    pollMs,
    log,
    async work() {
      await measure().catch((error: unknown) => {
        forget();
        log.debug({ worker: name, err: error }, 'could not be measured');
      });
      return false;
    },
  });
  return {
    async stop() {
      await worker.stop();
      forget();
    },
  };
}
