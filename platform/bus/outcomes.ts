import type { Log } from '../log.js';
import { startMeasuring } from '../measuring.js';
import { metrics } from '../metrics.js';
import type { Worker } from '../worker.js';

/** The part of a consumer that its metrics tell of. */
interface Place {
  group: string;
  topic: string;
}

/** What became of events, in numbers. Those that wait for no fault of their own are in none of them. */
export interface Tally {
  /** Handled. */
  done: number;
  /** Failed by their own fault; will be tried again. */
  retried: number;
  /** Put aside. */
  dead: number;
}

/** Counts what became of some of a group's events. Call it once that is settled, so that nothing counts twice. */
export function countOutcomes(group: string, topic: string, { done, retried, dead }: Tally): void {
  metrics.eventsHandled.inc({ group, topic }, done);
  metrics.retries.inc({ group, topic }, retried);
  metrics.deadLetters.inc({ group, topic }, dead);
}

/** Starts the clock on a batch; call what it answers when the handler has ended, well or not. */
export const timeHandling = (group: string, topic: string): (() => void) =>
  metrics.handlingDuration.startTimer({ group, topic });

/**
 * Measures every 5 s how many events each consumer has yet to handle, and shows the counters of all at 0
 * from the start: Prometheus sees a first dead letter as a rise only where there was a series before.
 * Stop it before what `measure` asks. A consumer that `measure` leaves out shows nothing.
 */
export function watchLag(options: {
  consumers: readonly Place[];
  log: Log;
  measure: () => Promise<readonly (Place & { events: number })[]>;
}): Worker {
  const { consumers, log, measure } = options;
  for (const { group, topic } of consumers) countOutcomes(group, topic, { done: 0, retried: 0, dead: 0 });
  const forget = (): void => {
    for (const { group, topic } of consumers) metrics.lag.remove({ group, topic });
  };
  return startMeasuring({
    name: 'consumer lag',
    log,
    async measure() {
      const measured = await measure();
      forget();
      for (const { group, topic, events } of measured) metrics.lag.set({ group, topic }, events);
    },
    forget,
  });
}
