import { type Bell, createBell, pause } from '../../platform/bell.js';
import { backoff } from '../../platform/bus/bus.js';
import type { Log } from '../../platform/log.js';
import type { Database } from '../../platform/postgres/database.js';
import type { Worker } from '../../platform/subgraph/define.js';
import { advanceDeliveries, assignCouriers } from './commands.js';

/** What wakes the workers before their next look is due. */
export interface Bells {
  assign: Bell;
  move: Bell;
}

export const createBells = (): Bells => ({ assign: createBell(), move: createBell() });

const assignPollMs = 1_000;

/** Assigns couriers whenever a delivery begins or a courier becomes free. Safe with several replicas. */
export const startAssigner = (database: Database, bells: Bells, log: Log): Worker =>
  repeat({
    bell: bells.assign,
    pollMs: assignPollMs,
    log,
    async work() {
      const assigned = await assignCouriers(database);
      if (assigned > 0) bells.move.ring();
      return assigned > 0;
    },
  });

/** Moves deliveries along as couriers would, a step every `stepMs`; for demonstrations and tests. Safe with several replicas. */
export const startSimulator = (database: Database, bells: Bells, stepMs: number, log: Log): Worker =>
  repeat({
    bell: bells.move,
    pollMs: Math.min(Math.max(stepMs / 10, 20), 500),
    log,
    async work() {
      return (await advanceDeliveries(database, stepMs)) > 0;
    },
  });

/** Works until there is nothing left to do, then waits for the bell or the next look. A failure is tried again. */
function repeat(options: { bell: Bell; pollMs: number; log: Log; work: () => Promise<boolean> }): Worker {
  const { bell, pollMs, log, work } = options;
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
        log.warn({ err: error }, 'a worker failed and tries again');
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
