import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Answer, AnswerReader, type Limits } from './answer-reader.js';
import { HttpError } from './error.js';
import type { Exchange } from './exchange.js';

/** All connections read into this: what is read has been looked at before the next one reads. */
const incoming = Buffer.allocUnsafeSlow(64 * 1024);
const probeMs = 60_000;
/** A connection is given up so long before its server does, or a request may meet its end. */
const marginMs = 2_000;

export interface ConnectionOptions {
  isSecure: boolean;
  host: string;
  port: number;
  connectMs: number;
  /** An idle one is kept so long, or for as long as its server says. */
  idleMs: number;
  limits: Limits;
  /** It is free for another exchange. */
  onFree(connection: Connection): void;
  /** It is closed. Told once. */
  onClose(connection: Connection): void;
}

/** One connection of HTTP/1.1, and one exchange at a time on it. It is opened with its first. */
export class Connection {
  /** When it is to be closed where nobody uses it, on the clock of performance.now(). */
  idleUntil = Number.POSITIVE_INFINITY;
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  #connecting: NodeJS.Timeout | undefined;
  #exchange: Exchange | undefined;
  #reader: AnswerReader | undefined;
  #wasUsed = false;
  /** Whether nothing has come for the present exchange. */
  #isSilent = true;

  constructor(options: ConnectionOptions, first: Exchange) {
    this.#options = options;
    this.#exchange = first;
    first.connection = this;
    const { isSecure, host, port, connectMs } = options;
    const onread = {
      buffer: incoming,
      callback: (size: number) => this.#onBytes(incoming.subarray(0, size)),
    };
    const to = { host, port, onread, noDelay: true, keepAlive: true, keepAliveInitialDelay: probeMs };
    this.#socket = isSecure
      ? connectTls({ ...to, servername: isIP(host) ? '' : host, ALPNProtocols: ['http/1.1'] })
      : connectTcp(to);
    this.#connecting = setTimeout(
      () => this.#socket.destroy(new HttpError(`no connection was made within ${connectMs} ms`)),
      connectMs,
    );
    let failure: Error | undefined;
    this.#socket
      .once(isSecure ? 'secureConnect' : 'connect', () => {
        clearTimeout(this.#connecting);
        this.#connecting = undefined;
        if (this.#exchange) this.#write(this.#exchange);
      })
      .on('end', () => this.#onEnd())
      .on('error', (error) => {
        failure = error;
      })
      .on('close', () => {
        clearTimeout(this.#connecting);
        options.onClose(this);
        this.#fail(failure ?? new HttpError('the other side closed the connection'));
      });
  }

  /** Sends what is next, once it is free. */
  send(exchange: Exchange): void {
    this.#exchange = exchange;
    exchange.connection = this;
    this.#write(exchange);
  }

  /** Whether something can still be sent over it. */
  get isOpen(): boolean {
    return this.#socket.writable;
  }

  /** Closes it at once. Its exchange is told nothing any more. */
  destroy(): void {
    this.#forget();
    this.#socket.destroy();
  }

  #write(exchange: Exchange): void {
    exchange.sent = true;
    this.#isSilent = true;
    this.#reader = new AnswerReader(this.#options.limits);
    const { head, body, isAscii } = exchange.request;
    if (isAscii) this.#socket.write(head + body, 'latin1');
    else this.#socket.write(Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)]));
  }

  #onBytes(bytes: Buffer): boolean {
    const reader = this.#reader;
    if (!reader) {
      // Nobody asked for it.
      this.#socket.destroy();
      return true;
    }
    this.#isSilent = false;
    let answer: Answer | undefined;
    try {
      answer = reader.read(bytes);
    } catch (error) {
      this.#socket.destroy();
      this.#fail(error as Error);
    }
    if (answer) this.#finish(reader, answer);
    return true;
  }

  #onEnd(): void {
    // By itself it would first send what is still to be sent, which the other side may never read.
    this.#socket.destroy();
    const reader = this.#reader;
    if (!reader) return;
    let answer: Answer;
    try {
      answer = reader.end();
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    this.#finish(reader, answer);
  }

  #finish(reader: AnswerReader, answer: Answer): void {
    const exchange = this.#exchange as Exchange;
    const { keepsOpen, idleMs = Number.POSITIVE_INFINITY } = reader.head as NonNullable<AnswerReader['head']>;
    const keptMs = Math.min(this.#options.idleMs, idleMs - marginMs);
    this.#forget();
    this.#wasUsed = true;
    // What answers before it has all of the request may take the rest for another one.
    if (keepsOpen && keptMs > 0 && this.#socket.writableLength === 0 && this.#socket.writable) {
      this.idleUntil = performance.now() + keptMs;
      this.#options.onFree(this);
    } else this.#socket.destroy();
    exchange.done(undefined, answer);
  }

  #fail(error: Error): void {
    const exchange = this.#exchange;
    this.#forget();
    if (!exchange) return;
    exchange.metEnd = this.#wasUsed && this.#isSilent;
    exchange.done(error);
  }

  #forget(): void {
    this.#reader?.leave();
    this.#reader = undefined;
    // Whoever gives it up from now on is not to close the connection under the next one.
    if (this.#exchange) this.#exchange.connection = undefined;
    this.#exchange = undefined;
  }
}
