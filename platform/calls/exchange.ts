import type { Dispatcher } from 'undici';
import { CallError } from './error.js';

export interface Answer {
  status: number;
  text: string;
}

/** How much of answers is held at once, in bytes, by exchanges that share this. */
export interface Room {
  taken: number;
  readonly most: number;
}

/** What a chunk takes beside its bytes: an answer may come in pieces of one byte. */
const bytesOfChunk = 150;
/** An answer that is no larger has room in any case: it is not to pay for the large ones of others. */
const small = 1024 * 1024;

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
  #size = 0;
  readonly #room: Room;
  #abandoned = false;
  #abort: ((reason?: Error) => void) | undefined;

  /** Without `room`, it has as much as it takes. */
  constructor(done: (error: Error | undefined, answer?: Answer) => void, room?: Room) {
    this.#done = done;
    this.#room = room ?? { taken: 0, most: Number.POSITIVE_INFINITY };
  }

  abandon(): void {
    this.#abandoned = true;
    this.#abort?.();
  }

  onConnect(abort: (reason?: Error) => void): void {
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
    const held = chunk.length + bytesOfChunk;
    this.#size += held;
    this.#room.taken += held;
    if (this.#room.taken > this.#room.most && this.#size > small)
      this.#abort?.(new CallError('full', `${this.#room.taken} bytes of its answers are being read already`));
    return true;
  }

  onComplete(): void {
    this.#leave();
    const body = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#done(undefined, { status: this.#status, text: body.toString() });
  }

  onError(error: Error): void {
    this.#leave();
    this.#done(error);
  }

  #leave(): void {
    this.#room.taken -= this.#size;
    this.#size = 0;
  }
}
