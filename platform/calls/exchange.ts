import type { Dispatcher } from 'undici';

export interface Answer {
  status: number;
  text: string;
}

/**
 * One request and its answer, as undici tells of them. `done` is called once, with the answer or with an error,
 * when undici has done with it: after `abandon` too, and then perhaps late, since a request that waits for a
 * connection leaves its queue only when it gets one.
 *
 * These are the handler's older methods: with the newer ones undici 7 reads all headers of every answer, of
 * which none is needed here.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  /** Whether undici began to write it: from then on the other side may have got it. */
  sent = false;
  #done: (error: Error | undefined, answer?: Answer) => void;
  #status = 0;
  #chunks: Buffer[] = [];
  #abandoned = false;
  #abort: (() => void) | undefined;

  constructor(done: (error: Error | undefined, answer?: Answer) => void) {
    this.#done = done;
  }

  abandon(): void {
    this.#abandoned = true;
    this.#abort?.();
  }

  onConnect(abort: () => void): void {
    this.#abort = abort;
    if (this.#abandoned) abort();
    else this.sent = true;
  }

  onHeaders(status: number): boolean {
    this.#status = status;
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    return true;
  }

  onComplete(): void {
    const [only, ...more] = this.#chunks;
    const body = only && more.length === 0 ? only : Buffer.concat(this.#chunks);
    this.#done(undefined, { status: this.#status, text: body.toString() });
  }

  onError(error: Error): void {
    this.#done(error);
  }
}
