import { type Audit, Fault, Skip } from './audit.js';
import { createSession } from './session.js';
import type { Target } from './target.js';

export interface Outcome {
  audit: Audit;
  verdict: 'ok' | 'not ok' | 'skipped';
  /** Why it is not ok, or skipped. */
  why?: string;
}

/**
 * Runs audits, `atOnce` at a time, each on sockets of its own. `onOutcome` is told of each, in their order.
 * Nothing that a server does rejects; only what is wrong with an audit, or with what a target is given, does.
 */
export async function run(
  target: Target,
  audits: readonly Audit[],
  options: { atOnce?: number; onOutcome?: (outcome: Outcome) => void } = {},
): Promise<Outcome[]> {
  const { atOnce = 16, onOutcome } = options;
  const outcomes: Outcome[] = [];
  let [taken, told] = [0, 0];
  async function work(): Promise<void> {
    for (let n = taken++; n < audits.length; n = taken++) {
      const audit = audits[n];
      if (audit) outcomes[n] = await judge(target, audit);
      for (let next = outcomes[told]; next; next = outcomes[++told]) onOutcome?.(next);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work));
  return outcomes;
}

async function judge(target: Target, audit: Audit): Promise<Outcome> {
  const session = createSession(target);
  try {
    await audit.check(session);
    return { audit, verdict: 'ok' };
  } catch (error) {
    if (error instanceof Skip) return { audit, verdict: 'skipped', why: error.message };
    if (error instanceof Fault) return { audit, verdict: 'not ok', why: error.message };
    throw error;
  } finally {
    session.end();
  }
}
