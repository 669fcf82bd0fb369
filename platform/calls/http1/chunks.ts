import { field } from './answer-head.js';
import { HttpError } from './error.js';

/** A chunk's size, extensions included, or all trailers have no more characters. */
const mostOfLine = 16 * 1024;
const size = /^([0-9a-fA-F]{1,12})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?\r\n$/;
const trailer = new RegExp(`^${field}\\r\\n$`);

/** Takes the chunked coding (RFC 9112, 7.1) off a body. Trailers are read over. */
export class Chunks {
  readonly #onPiece: (piece: Buffer) => void;
  #expects: 'size' | 'data' | 'end of data' | 'trailer' = 'size';
  /** Bytes of the present chunk that are still to come. */
  #left = 0;
  /** A line so far. */
  #line = '';
  #trailers = 0;

  /** `onPiece` gets the body's bytes, and may not keep them. */
  constructor(onPiece: (piece: Buffer) => void) {
    this.#onPiece = onPiece;
  }

  /**
   * Reads bytes from `at` on. Answers whether the body ended with the last of them.
   * @throws HttpError where they are not chunked, or go on after the end
   */
  read(bytes: Buffer, at: number): boolean {
    while (at < bytes.length) {
      if (this.#expects === 'data') {
        const end = Math.min(bytes.length, at + this.#left);
        this.#onPiece(bytes.subarray(at, end));
        this.#left -= end - at;
        at = end;
        if (this.#left === 0) this.#expects = 'end of data';
        continue;
      }
      const lineFeed = bytes.indexOf(0x0a, at);
      const end = lineFeed < 0 ? bytes.length : lineFeed + 1;
      this.#line += bytes.toString('latin1', at, end);
      at = end;
      if (this.#line.length + this.#trailers > mostOfLine)
        throw new HttpError('a chunk of its answer has no end');
      if (lineFeed < 0) return false;
      const line = this.#line;
      this.#line = '';
      if (!this.#readLine(line)) continue;
      if (at < bytes.length) throw new HttpError('there are bytes after the end of its answer');
      return true;
    }
    return false;
  }

  /** Answers whether it was the last line of the body. */
  #readLine(line: string): boolean {
    if (!line.endsWith('\r\n')) throw new HttpError('a chunk of its answer is none');
    if (this.#expects === 'trailer') {
      if (line === '\r\n') return true;
      if (!trailer.test(line)) throw new HttpError('a trailer of its answer is none');
      this.#trailers += line.length;
      return false;
    }
    if (this.#expects === 'end of data') {
      if (line !== '\r\n') throw new HttpError('a chunk of its answer is longer than it says');
      this.#expects = 'size';
      return false;
    }
    const digits = size.exec(line)?.[1];
    if (digits === undefined) throw new HttpError('a chunk of its answer has no size');
    this.#left = Number.parseInt(digits, 16);
    this.#expects = this.#left > 0 ? 'data' : 'trailer';
    return false;
  }
}
