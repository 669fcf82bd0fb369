/**
 * Why a call has no answer, beside the errors of the connection itself: `error` is an answer of 5xx, `timeout`
 * the end of its time, `refused` an open circuit, `full` too many calls under way, `cancelled` a caller that
 * waits no more.
 */
export class CallError extends Error {
  readonly outcome: 'error' | 'timeout' | 'refused' | 'full' | 'cancelled';
  /** Whether it tells against the part, for the circuit breaker. */
  readonly isFaultOfPart: boolean;
  constructor(outcome: CallError['outcome'], message: string, isFaultOfPart = false) {
    super(message);
    this.outcome = outcome;
    this.isFaultOfPart = isFaultOfPart;
  }
}

/** Whether the connection failed, could not be made, or brought what is no answer; not what is refused here, such as one that is too large. */
export const isConnectionFailure = (error: Error): boolean =>
  typeof (error as NodeJS.ErrnoException).code === 'string';

/** Whether a call failed by the fault of the part that was called: it is away, hangs, or answers 5xx. */
export const isFaultOfPart = (error: Error): boolean =>
  error instanceof CallError ? error.isFaultOfPart : isConnectionFailure(error);

/** `isFaultOfPart` where it is the part that hangs. */
export const timedOut = (ms: number, isFaultOfPart = false): CallError =>
  new CallError('timeout', `it did not answer within ${ms} ms`, isFaultOfPart);

export const cancelled = (): CallError => new CallError('cancelled', 'nobody waits for it any more');
