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

/** Whether the connection failed, or could not be made; not what undici itself refuses, such as an answer that is too large. */
export function isConnectionFailure(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') return false;
  return !code.startsWith('UND_ERR_') || code === 'UND_ERR_SOCKET' || code === 'UND_ERR_CONNECT_TIMEOUT';
}

/** Whether a call failed by the fault of the part that was called: it is away, hangs, or answers 5xx. */
export const isFaultOfPart = (error: Error): boolean =>
  error instanceof CallError ? error.isFaultOfPart : isConnectionFailure(error);
