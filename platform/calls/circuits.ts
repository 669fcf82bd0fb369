import { metrics } from '../metrics.js';
import type { Circuit } from './breaker.js';

/** The circuits of all callers, by part. */
const known = new Map<string, Map<object, Circuit>>();

/**
 * Shows the circuit of one caller in `circuit_state`. A part may have several callers (one that was moved has an
 * old and a new one for a while): the metric is the worst of theirs, and goes with the last of them.
 */
export function showCircuit(part: string): { set(circuit: Circuit): void; remove(): void } {
  const caller = {};
  const show = (circuits: ReadonlyMap<object, Circuit>) =>
    metrics.circuit.set({ part }, Math.max(...circuits.values()));
  return {
    set(circuit) {
      const circuits = known.get(part) ?? new Map<object, Circuit>();
      known.set(part, circuits.set(caller, circuit));
      show(circuits);
    },
    remove() {
      const circuits = known.get(part);
      if (!circuits?.delete(caller)) return;
      if (circuits.size > 0) return show(circuits);
      known.delete(part);
      metrics.circuit.remove({ part });
    },
  };
}
