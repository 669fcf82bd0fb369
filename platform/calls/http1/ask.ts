import type { Cancellation } from '../cancellation.js';
import { type CallError, cancelled, timedOut } from '../error.js';
import type { Answer } from './answer-reader.js';
import { Exchange } from './exchange.js';
import type { Pool } from './pool.js';
import type { HttpRequest } from './request.js';

/**
 * Sends a request once, and answers with whatever is said to it within so many ms.
 * @throws CallError where its time is over or it is cancelled; HttpError or the connection's own error where there is
 *   no answer
 */
export function ask(
  pool: Pool,
  request: HttpRequest,
  { ms, cancellation }: { ms: number; cancellation?: Cancellation },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const exchange = new Exchange(request, (error, answer) => {
      settle();
      if (answer) resolve(answer);
      else reject(error);
    });
    const timer = setTimeout(() => giveUp(timedOut(ms)), ms);
    const cancel = () => giveUp(cancelled());

    function giveUp(error: CallError): void {
      settle();
      pool.abandon(exchange);
      reject(error);
    }

    function settle(): void {
      clearTimeout(timer);
      cancellation?.delete(cancel);
    }

    pool.send(exchange);
    cancellation?.add(cancel);
  });
}
