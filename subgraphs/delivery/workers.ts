import { type Bell, createBell } from '../../platform/bell.js';
import type { Log } from '../../platform/log.js';
import type { Database } from '../../platform/postgres/database.js';
import { repeat, type Worker } from '../../platform/worker.js';
import { advanceDeliveries, assignCouriers } from './commands.js';
import { releaseOverdue } from './deadlines.js';

/** What wakes the workers before their next look is due. */
export interface Bells {
  assign: Bell;
  move: Bell;
}

export const createBells = (): Bells => ({ assign: createBell(), move: createBell() });

const assignPollMs = 1_000;
const releasePollMs = 1_000;

/** Assigns couriers whenever a delivery begins or a courier becomes free. Safe with several replicas. */
export const startAssigner = (database: Database, bells: Bells, deadlineMs: number, log: Log): Worker =>
  repeat({
    name: 'assigner',
    bell: bells.assign,
    pollMs: assignPollMs,
    log,
    async work() {
      const assigned = await assignCouriers(database, deadlineMs);
      if (assigned > 0) bells.move.ring();
      return assigned > 0;
    },
  });

/** Takes deliveries whose deadline has passed off their couriers. Safe with several replicas. */
export const startReleaser = (database: Database, maxAttempts: number, log: Log): Worker =>
  repeat({
    name: 'releaser',
    pollMs: releasePollMs,
    log,
    work: async () => (await releaseOverdue(database, maxAttempts)) > 0,
  });

/** Moves deliveries along as couriers would, a step every `stepMs`; for demonstrations and tests. Safe with several replicas. */
export const startSimulator = (database: Database, bells: Bells, stepMs: number, log: Log): Worker =>
  repeat({
    name: 'simulator',
    bell: bells.move,
    pollMs: Math.min(Math.max(stepMs / 10, 20), 500),
    log,
    work: async () => (await advanceDeliveries(database, stepMs)) > 0,
  });
