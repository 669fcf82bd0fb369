import { CallError } from '../error.js';
import { type AnswerHead, checkBeginning, readHead } from './answer-head.js';
import { Chunks } from './chunks.js';
import { HttpError } from './error.js';

export interface Answer {
  status: number;
  text: string;
}

/** How much of answers is held at once, in bytes, by readers that share this. */
export interface Room {
  taken: number;
  readonly most: number;
}

export interface Limits {
  /** Bytes of an answer's body. */
  answer: number;
  /** Of all answers that are being read. */
  room: Room;
}

const mostOfHead = 16 * 1024;
const headEnd = Buffer.from('\r\n\r\n');
const empty = Buffer.alloc(0);
/** What a piece takes beside its bytes: an answer may come in pieces of one byte. */
const bytesOfPiece = 150;
/** An answer that is no larger has room in any case: it is not to pay for the large ones of others. */
const small = 1024 * 1024;

/** Reads one answer from the bytes of a connection. Whoever has done with it, whole or not, calls `leave`. */
export class AnswerReader {
  /** The head of the answer, once it is there. */
  head: AnswerHead | undefined;
  readonly #limits: Limits;
  /** The head so far, then pieces of the body. */
  #pieces: Buffer[] = [];
  #size = 0;
  #held = 0;
  #chunks: Chunks | undefined;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /**
   * Takes the next bytes, which are not looked at after it has returned. Answers the answer where that is whole.
   * @throws HttpError where the bytes are no answer or go on after it; CallError where it is too large
   */
  read(bytes: Buffer): Answer | undefined {
    return this.head ? this.#readBody(this.head, bytes, 0) : this.#readHead(bytes);
  }

  /**
   * The connection has ended.
   * @throws HttpError where the answer was to go on
   */
  end(): Answer {
    if (this.head?.framing.kind !== 'connection') throw new HttpError('the other side closed the connection');
    return this.#answer(this.head);
  }

  /** Gives back the room that it took. */
  leave(): void {
    this.#limits.room.taken -= this.#held;
    this.#held = 0;
  }

  #readHead(bytes: Buffer): Answer | undefined {
    const all = this.#pieces.length === 0 ? bytes : Buffer.concat([...this.#pieces, bytes]);
    this.#pieces = [];
    for (let at = 0; at < all.length; ) {
      const end = all.indexOf(headEnd, at);
      if ((end < 0 ? all.length : end) - at > mostOfHead)
        throw new HttpError(`the head of its answer has more than ${mostOfHead} bytes`);
      if (end < 0) {
        checkBeginning(all.toString('latin1', at));
        this.#pieces.push(Buffer.from(all.subarray(at)));
        return undefined;
      }
      const head = readHead(all.toString('latin1', at, end));
      at = end + headEnd.length;
      if (head.status === 101) throw new HttpError('it changed to a protocol that nobody asked for');
      // Others only tell of the answer to come.
      if (head.status < 200) continue;
      this.head = head;
      if (head.framing.kind === 'length') this.#admit(head.framing.length);
      else if (head.framing.kind === 'chunked') this.#chunks = new Chunks((piece) => this.#keep(piece));
      return this.#readBody(head, all, at);
    }
    return undefined;
  }

  #readBody(head: AnswerHead, bytes: Buffer, at: number): Answer | undefined {
    const { framing } = head;
    if (framing.kind === 'length') {
      const left = framing.length - this.#size - (bytes.length - at);
      if (left < 0) throw new HttpError('there are bytes after the end of its answer');
      // Nearly all answers come at once, and are never held.
      if (left === 0 && this.#pieces.length === 0)
        return { status: head.status, text: bytes.toString('utf8', at) };
      if (at < bytes.length) this.#keep(bytes.subarray(at));
      return left === 0 ? this.#answer(head) : undefined;
    }
    if (!this.#chunks) {
      if (at < bytes.length) this.#keep(bytes.subarray(at));
      return undefined;
    }
    return this.#chunks.read(bytes, at) ? this.#answer(head) : undefined;
  }

  #answer({ status }: AnswerHead): Answer {
    const body = this.#pieces.length === 1 ? (this.#pieces[0] ?? empty) : Buffer.concat(this.#pieces);
    return { status, text: body.toString() };
  }

  #keep(piece: Buffer): void {
    this.#size += piece.length;
    this.#admit(this.#size);
    const { room } = this.#limits;
    this.#held += piece.length + bytesOfPiece;
    room.taken += piece.length + bytesOfPiece;
    if (room.taken > room.most && this.#held > small)
      throw new CallError('full', `${room.taken} bytes of its answers are being read already`);
    this.#pieces.push(Buffer.from(piece));
  }

  #admit(size: number): void {
    const { answer } = this.#limits;
    if (size > answer) throw new CallError('error', `its answer has more than ${answer} bytes`);
  }
}
