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

export interface Breaker {
  isClosed(): boolean;
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
  let circuit = closedCircuit();

  function closedCircuit(): { policy: CircuitBreakerPolicy; hasFailed: boolean } {
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
    return { policy, hasFailed: false };
  }

  /** Tells the policy of a call that it did not see: it has to know of failures, and of the success that ends their row. */
  async function tell({ policy }: typeof circuit, outcome: () => Promise<void>): Promise<void> {
    if (policy.state === CircuitState.Closed) await policy.execute(outcome).catch(() => undefined);
  }

  return {
    isClosed: () => circuit.policy.state === CircuitState.Closed,
    async execute(call) {
      const here = circuit;
      // cockatiel would have it wait for the test.
      if (here.policy.state === CircuitState.HalfOpen) throw refused();
      if (here.policy.state === CircuitState.Open) {
        try {
          return await here.policy.execute(call);
        } catch (error) {
          throw isBrokenCircuitError(error) ? refused() : error;
        }
      }
      // Nearly all calls go well, and to take them through the policy would cost each a tenth.
      try {
        const answer = await call();
        if (here.hasFailed) {
          here.hasFailed = false;
          await tell(here, () => Promise.resolve());
        }
        return answer;
      } catch (error) {
        here.hasFailed = true;
        await tell(here, () => Promise.reject(error));
        throw error;
      }
    },
    reset() {
      const wasClosed = circuit.policy.state === CircuitState.Closed;
      circuit = closedCircuit();
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
