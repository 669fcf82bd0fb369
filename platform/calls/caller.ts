import type { Log } from '../log.js';
import { metrics } from '../metrics.js';
import { endOfTurn } from '../turn.js';
import { type ClosedCircuit, createBreaker } from './breaker.js';
import type { Cancellation } from './cancellation.js';
import { showCircuit } from './circuits.js';
import { CallError, cancelled, timedOut } from './error.js';
import type { Answer, Room } from './http1/answer-reader.js';
import { Exchange } from './http1/exchange.js';
import { createPool } from './http1/pool.js';
import { httpRequest, startOf } from './http1/request.js';
import { createRetries, mayRepeat } from './retries.js';

const connectMs = 5_000;
const idleMs = 30_000;

/** A part that has not answered within so many ms is slow, whatever its caller's own time was. */
const fairMs = 1_000;

export interface CallerOptions {
  /** What is called, as metrics and logs name it. */
  part: string;
  url: string;
  /** How long a call may take in all: waiting for a connection, retries, and the answer to its last byte. */
  timeoutMs: number;
  log: Log;
  /** Whether whoever watches the part misses it: then its first timeout opens the circuit. */
  isMissing?: () => boolean;
  /** 64 unless told. */
  connections?: number;
  /** So many calls may be under way, those that wait for a connection included; 1,024 unless told. */
  mostCalls?: number;
  /** Bytes of an answer, 64 MiB unless told. */
  answerLimit?: number;
  /** Bytes of all answers that are being read, 256 MiB unless told: large ones beyond that are broken off. */
  answersLimit?: number;
}

export interface Call {
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: string;
  /** Whether the part may get it twice: it changes nothing there. */
  safe: boolean;
  /** When, on the clock of performance.now(), an answer is of no more use; `timeoutMs` holds all the same. */
  deadline?: number | undefined;
  /** Gives the call up where nobody waits for it any more; it then rejects with `cancelled`. */
  cancellation?: Cancellation | undefined;
}

/** Calls one other part of the system. Closed by whoever made it. */
export interface Caller {
  /**
   * Answers with whatever the part says below 500.
   * @throws CallError, or the connection's own error, when there is no such answer
   */
  call(call: Call): Promise<Answer>;
  /** Closes the circuit: the part is known to be there again. */
  reset(): void;
  close(): Promise<void>;
}

/**
 * A caller with a pool of connections, a limit of time, retries and a circuit breaker. What is safe is tried up
 * to three times when its connection fails or the answer is 502, 503 or 504; all else only when it certainly
 * was not sent. The reasons are in docs/decisions/007-calls-and-circuit-breakers.md.
 */
export function createCaller(options: CallerOptions): Caller {
  const { part, timeoutMs, log, isMissing = () => false, connections = 64, mostCalls = 1_024 } = options;
  const url = new URL(options.url);
  const starts = { GET: startOf('GET', url), POST: startOf('POST', url) };
  const count = countersOf(part);
  const shown = showCircuit(part);
  const room: Room = { taken: 0, most: options.answersLimit ?? 256 * 1024 * 1024 };
  const limits = { answer: options.answerLimit ?? 64 * 1024 * 1024, room };
  const pool = createPool({ origin: url.origin, connections, connectMs, idleMs, limits });
  const breaker = createBreaker({
    isMissing,
    onChange(circuit) {
      if (!isClosed) shown.set(circuit);
      if (circuit !== 1) log.warn({ part }, circuit === 0 ? 'circuit closed' : 'circuit opened');
    },
  });
  const retries = createRetries({
    // A restart of the part may close every connection under a call.
    budget: connections,
    onRetry: () => count.retries.inc(),
    onExhausted: () => count.exhausted.inc(),
  });
  let underWay = 0;
  let isClosed = false;
  let answeredAt = Number.NEGATIVE_INFINITY;
  shown.set(0);

  function enter(): void {
    underWay++;
    count.underWay.inc();
  }
  function leave(): void {
    underWay--;
    count.underWay.dec();
  }

  function countFailure(error: Error): void {
    count[error instanceof CallError ? error.outcome : 'error'].inc();
  }

  /** Why a call is not even begun, if so. */
  function refusalOf(call: Call, startedAt: number, end: number): CallError | undefined {
    if (call.cancellation?.isCancelled) return cancelled();
    if (end <= startedAt) return new CallError('timeout', 'the request has no time left for it');
    if (underWay >= mostCalls) return new CallError('full', `${underWay} calls of it are under way already`);
    return undefined;
  }

  /** All tries of a call. `circuit` is told how it went, where it is closed. */
  function run(
    call: Call,
    startedAt: number,
    end: number,
    circuit: ClosedCircuit | undefined,
  ): Promise<Answer> {
    const { method, headers, body = '', cancellation } = call;
    const ms = Math.ceil(end - startedAt);
    return new Promise((resolve, reject) => {
      const request = httpRequest(starts[method], headers, body);
      let tries = 0;
      let isOver = false;
      let exchange: Exchange | undefined;
      let needsNew = false;
      const timer = setTimeout(() => {
        // Where others were answered meanwhile, it is this call that is slow; and one that came late had no chance.
        const hangs = answeredAt < startedAt && (ms >= fairMs || ms >= timeoutMs);
        giveUp(timedOut(ms, hangs));
      }, ms);
      const cancel = () => giveUp(cancelled());

      function giveUp(error: CallError): void {
        finish();
        if (exchange) pool.abandon(exchange);
        fail(error);
      }

      function send(): void {
        if (isOver) return;
        tries++;
        exchange = new Exchange(request, settle, needsNew);
        pool.send(exchange);
      }

      function settle(error: Error | undefined, answer?: Answer): void {
        const failure = error ?? failureOf(answer);
        if (!failure) answeredAt = performance.now();
        const pauseMs = failure && pauseAfter(failure, answer?.status);
        if (pauseMs !== undefined) {
          setTimeout(send, pauseMs);
          return;
        }
        finish();
        if (failure) fail(failure);
        else succeed(answer as Answer);
      }

      function succeed(answer: Answer): void {
        count.ok.inc();
        if (circuit?.hasFailed) void circuit.tell(undefined).then(() => resolve(answer));
        else resolve(answer);
      }

      /** Whoever hears of a failure finds the circuit as the failure left it. */
      function fail(error: Error): void {
        countFailure(error);
        if (circuit) void circuit.tell(error).then(() => reject(error));
        else reject(error);
      }

      /** An open circuit ends retries, and its test is a single try. */
      function pauseAfter(failure: Error, status: number | undefined): number | undefined {
        if (!breaker.isClosed() || !mayRepeat(call, { sent: exchange?.sent ?? false, status, failure }))
          return undefined;
        if (!exchange?.metEnd) return retries.take(tries, end);
        needsNew = true;
        return retries.renew(tries);
      }

      function finish(): void {
        isOver = true;
        clearTimeout(timer);
        cancellation?.delete(cancel);
        count.duration.observe((performance.now() - startedAt) / 1_000);
        leave();
      }

      enter();
      retries.earn();
      cancellation?.add(cancel);
      void endOfTurn().then(send);
    });
  }

  return {
    call(call) {
      const startedAt = performance.now();
      const end = Math.min(startedAt + timeoutMs, call.deadline ?? Number.POSITIVE_INFINITY);
      const refusal = refusalOf(call, startedAt, end);
      if (refusal) {
        countFailure(refusal);
        return Promise.reject(refusal);
      }
      const circuit = breaker.closed();
      if (circuit) return run(call, startedAt, end, circuit);
      return breaker
        .execute(() => run(call, startedAt, end, undefined))
        .catch((error) => {
          if (error instanceof CallError && error.outcome === 'refused') countFailure(error);
          throw error;
        });
    },
    reset: breaker.reset,
    async close() {
      // What has been asked in this turn is still to be sent.
      await endOfTurn();
      await pool.close();
      isClosed = true;
      shown.remove();
    },
  };
}

const failureOf = (answer: Answer | undefined): Error | undefined =>
  answer && answer.status >= 500
    ? new CallError('error', `it answered HTTP ${answer.status}`, true)
    : undefined;

/** The metrics of one part, their labels looked up once; the counters stand at 0 from the start. */
function countersOf(part: string) {
  const counters = {
    ok: metrics.calls.labels(part, 'ok'),
    error: metrics.calls.labels(part, 'error'),
    timeout: metrics.calls.labels(part, 'timeout'),
    refused: metrics.calls.labels(part, 'refused'),
    full: metrics.calls.labels(part, 'full'),
    cancelled: metrics.calls.labels(part, 'cancelled'),
    retries: metrics.callRetries.labels(part),
    exhausted: metrics.callRetriesExhausted.labels(part),
  };
  for (const counter of Object.values(counters)) counter.inc(0);
  return {
    ...counters,
    duration: metrics.callDuration.labels(part),
    underWay: metrics.callsUnderWay.labels(part),
  };
}
