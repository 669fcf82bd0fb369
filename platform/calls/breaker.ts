import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  isBrokenCircuitError,
} from 'cockatiel';
import { CallError, isFaultOfPart } from './error.js';

/** A row, and no rate: a client whose own calls fail must not take a part from the others, whose calls succeed. */
const failuresInARow = 5;
const tryAgainAfterMs = 1_000;

/** Closed, half-open (one call is a test of the part), open. */
export type Circuit = 0 | 1 | 2;

/** A circuit that is closed, as calls find it that begin then. */
export interface ClosedCircuit {
  /** Whether it has to be told of successes too: one ends a row of failures. */
  readonly hasFailed: boolean;
  /** Tells how a call went, with its error where it failed. */
  tell(error: Error | undefined): Promise<void>;
}

export interface Breaker {
  isClosed(): boolean;
  /** The circuit, where it is closed: nearly all calls go well, and through `execute` each would cost a tenth more. */
  closed(): ClosedCircuit | undefined;
  /** @throws CallError `refused`, at once, while the circuit is open or another call tests the part */
  execute<T>(call: () => Promise<T>): Promise<T>;
  /** Forgets all failures, those of calls that are under way too. */
  reset(): void;
}

/**
 * Opens after five failures in a row, or at the first timeout of a part that its watcher misses as well: a part
 * that hangs costs no second call its whole time. A second later one call may try, and decides.
 */
export function createBreaker(options: {
  isMissing: () => boolean;
  onChange: (circuit: Circuit) => void;
}): Breaker {
  const { isMissing, onChange } = options;
  let circuit = newCircuit();

  function newCircuit(): ClosedCircuit & { policy: CircuitBreakerPolicy } {
    const row = new ConsecutiveBreaker(failuresInARow);
    let hangs = false;
    const counted = (error: Error): boolean => {
      // A test that came to nothing, as when its client went away, does not show that the part is there.
      if (policy.state === CircuitState.HalfOpen && error instanceof CallError) return true;
      if (!isFaultOfPart(error)) return false;
      if (error instanceof CallError && error.outcome === 'timeout' && isMissing()) hangs = true;
      return true;
    };
    const policy = circuitBreaker(handleWhen(counted), {
      halfOpenAfter: tryAgainAfterMs,
      breaker: {
        state: undefined,
        success() {
          hangs = false;
          row.success();
        },
        failure: () => row.failure() || hangs,
      },
    });
    policy.onStateChange((state) => {
      if (policy === circuit.policy) onChange(circuits[state]);
    });
    const made = {
      policy,
      hasFailed: false,
      async tell(error: Error | undefined) {
        made.hasFailed = error !== undefined;
        // What the policy is shown is an outcome: it did not see the call.
        if (policy.state === CircuitState.Closed)
          await policy
            .execute(() => (error ? Promise.reject(error) : Promise.resolve()))
            .catch(() => undefined);
      },
    };
    return made;
  }

  return {
    isClosed: () => circuit.policy.state === CircuitState.Closed,
    closed: () => (circuit.policy.state === CircuitState.Closed ? circuit : undefined),
    async execute(call) {
      const { policy } = circuit;
      // cockatiel would have it wait for the test.
      if (policy.state === CircuitState.HalfOpen) throw refused();
      try {
        return await policy.execute(call);
      } catch (error) {
        throw isBrokenCircuitError(error) ? refused() : error;
      }
    },
    reset() {
      const wasClosed = circuit.policy.state === CircuitState.Closed;
      circuit = newCircuit();
      if (!wasClosed) onChange(0);
    },
  };
}

const circuits: Record<CircuitState, Circuit> = {
  [CircuitState.Closed]: 0,
  [CircuitState.HalfOpen]: 1,
  [CircuitState.Open]: 2,
  [CircuitState.Isolated]: 2,
};

const refused = () => new CallError('refused', 'its last calls failed, and it is left alone for now');
