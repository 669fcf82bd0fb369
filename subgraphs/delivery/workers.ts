import { type Bell, createBell } from '../../platform/bell.js';
import type { Log } from '../../platform/log.js';
import type { Database } from '../../platform/postgres/database.js';
import { repeat, type Worker } from '../../platform/worker.js';
import { assignCouriers, type Dispatching } from './assign.js';
import { releaseOverdue } from './deadlines.js';
import type { Geography } from './geography.js';
import { advanceDeliveries, walkCouriers } from './simulator.js';

/** What wakes the workers before their next look is due. */
export interface Bells {
  assign: Bell;
  move: Bell;
}

export const createBells = (): Bells => ({ assign: createBell(), move: createBell() });

const assignPollMs = 1_000;
const releasePollMs = 1_000;
/** Couriers of the simulator say where they are so many times a step, ... */
const reportsAStep = 4;
/** ... but no more often than this. */
const leastReportMs = 500;

/** Assigns couriers whenever a delivery begins or a courier becomes free. Safe with several replicas. */
export const startAssigner = (database: Database, bells: Bells, dispatching: Dispatching, log: Log): Worker =>
  repeat({
    name: 'assigner',
    bell: bells.assign,
    pollMs: assignPollMs,
    log,
    async work() {
      const assigned = await assignCouriers(database, dispatching);
      if (assigned > 0) bells.move.ring();
      return assigned > 0;
    },
  });

/** Takes deliveries whose deadline has passed off their couriers. Safe with several replicas. */
export const startReleaser = (
  database: Database,
  bells: Bells,
  maxAttempts: number,
  dispatching: Dispatching,
  log: Log,
): Worker =>
  repeat({
    name: 'releaser',
    pollMs: releasePollMs,
    log,
    async work() {
      const released = await releaseOverdue(database, maxAttempts, dispatching);
      if (released > 0) bells.assign.ring();
      return released > 0;
    },
  });

/**
 * Acts as couriers would, by the same commands: they move what they bring along, a step every `stepMs`, and say where they
 * are. For demonstrations and tests. Safe with several replicas.
 */
export function startSimulator(
  database: Database,
  bells: Bells,
  { stepMs, geography, log }: { stepMs: number; geography: Geography; log: Log },
): Worker {
  const moving = repeat({
    name: 'simulator',
    bell: bells.move,
    pollMs: Math.min(Math.max(stepMs / 10, 20), 500),
    log,
    work: async () => (await advanceDeliveries(database, stepMs, geography)) > 0,
  });
  const everyMs = Math.max(stepMs / reportsAStep, leastReportMs);
  const walking = repeat({
    name: 'walker',
    pollMs: everyMs / 2,
    log,
    work: async () => (await walkCouriers(database, { stepMs, everyMs }, geography)) > 0,
  });
  return { stop: async () => void (await Promise.all([moving.stop(), walking.stop()])) };
}
