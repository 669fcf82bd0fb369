import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { whenTokenEnds } from '../../platform/auth/expiry.js';
import type { Rights } from '../../platform/auth/rights.js';
import type { ClientAddress } from '../../platform/client-address.js';
import { type ErrorCode, problem } from '../../platform/errors.js';
import { closingMs } from '../../platform/live/closing.js';
import type { Places } from '../../platform/live/places.js';
import type { Log } from '../../platform/log.js';
import { metrics } from '../../platform/metrics.js';
import type { SocketLimits } from '../../platform/sockets.js';
import type { Subscriber } from '../live/stream.js';
import type { LiveHub, LiveRequest } from '../live/streams.js';
import type { StreamFormat } from './stream-formats.js';

/** The subscriptions of clients that get them as the body of an answer. */
export interface HttpStreams {
  /**
   * Answers by a stream that lives until the subscription, its token or its client ends.
   * @throws SERVICE_UNAVAILABLE (503), RATE_LIMITED (429) where there is no room for it; nothing has been sent then
   */
  begin(request: LiveRequest, format: StreamFormat, reply: FastifyReply): void;
  /** Ends all, so that clients come back, and takes no more. */
  close(): Promise<void>;
}

interface Settings {
  log: Log;
  limits: Pick<SocketLimits, 'sockets' | 'socketsPerUser' | 'bufferBytes'>;
  /** After so long without an event a stream says that it lives, in ms. */
  heartbeatMs: number;
  /** By what those who are nobody are counted. */
  addressOf: ClientAddress;
  /** Errors as clients may see them. */
  format: (errors: readonly GraphQLFormattedError[]) => readonly GraphQLFormattedError[];
  /** Whose rights have changed: their streams end. */
  rights: Rights;
}

export function createStreams(options: { hub: LiveHub; places: Places; settings: Settings }): HttpStreams {
  const { hub, places, settings } = options;
  const open = new Set<HttpStream>();
  let isClosing = false;

  /** @throws as `begin` */
  function takePlace(holder: string): () => void {
    if (isClosing) throw noRoom(503, restarts);
    const leave = places.take();
    if (!leave) {
      meet('sockets');
      throw noRoom(503, 'There are too many sockets and streams; try again later.');
    }
    const leaveHolder = places.takeOf(holder);
    if (!leaveHolder) {
      leave();
      meet('socketsPerUser');
      const most = settings.limits.socketsPerUser;
      throw noRoom(
        429,
        `A user or address has at most ${most} sockets and streams; end one before the next.`,
      );
    }
    return () => {
      leave();
      leaveHolder();
    };
  }

  return {
    begin(request, format, reply) {
      // The client may have gone while its token was checked.
      if (reply.raw.destroyed) return;
      const { principal } = request.context;
      const leave = takePlace(principal?.userId ?? settings.addressOf(reply.request.raw));
      const stream = new HttpStream(request, format, reply, settings);
      try {
        stream.unsubscribe = hub.subscribe(request, stream);
      } catch (error) {
        leave();
        throw error;
      }
      open.add(stream);
      reply.raw.once('close', () => {
        open.delete(stream);
        leave();
      });
      stream.open();
    },
    async close() {
      isClosing = true;
      await Promise.all([...open].map((stream) => stream.interrupt()));
    },
  };
}

/** How a stream came to its end; `left` where the client did. */
type Reason = 'complete' | 'failed' | 'left' | 'expired' | 'slow' | 'restart';

/** One answer that goes on, and who is subscribed by it. */
class HttpStream implements Subscriber {
  readonly #request: LiveRequest;
  readonly #format: StreamFormat;
  readonly #reply: FastifyReply;
  readonly #settings: Settings;
  readonly #began = performance.now();
  #events = 0;
  #isOpen = false;
  #isOver = false;
  #heartbeat: NodeJS.Timeout | undefined;
  #stopWaiting: (() => void) | undefined;
  /** Ends what it is subscribed to. */
  unsubscribe: (() => void) | undefined;

  constructor(request: LiveRequest, format: StreamFormat, reply: FastifyReply, settings: Settings) {
    this.#request = request;
    this.#format = format;
    this.#reply = reply;
    this.#settings = settings;
  }

  /** Sends the head of the answer, unless it has been sent. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    // What others have said of the answer, such as which sites may read it, has to be taken along.
    const said = this.#reply.getHeaders() as OutgoingHttpHeaders;
    const { raw } = this.#reply.hijack();
    raw.once('close', () => this.#stop('left'));
    // That something cannot be written is told by its close.
    raw.on('error', () => undefined);
    raw.writeHead(200, {
      ...said,
      'x-content-type-options': 'nosniff',
      'content-type': this.#format.contentType,
      'cache-control': 'no-store',
      // nginx would keep events back until it has a page of them.
      'x-accel-buffering': 'no',
    });
    raw.write(this.#format.opening);
    this.#reply.begun();
    metrics.streams.labels('gateway', this.#format.name).inc();
    this.#heartbeat = setInterval(() => this.#write(this.#format.heartbeat), this.#settings.heartbeatMs);
    const { principal } = this.#request.context;
    if (principal)
      this.#stopWaiting = whenTokenEnds(principal, this.#settings.rights, (why) =>
        this.#fail('expired', [unauthenticated(why)]),
      );
  }

  next(text: string, cursor: unknown): void {
    this.#events += 1;
    this.#write(this.#format.next(text, cursor));
  }

  end(errors?: readonly GraphQLFormattedError[]): void {
    if (errors) this.#fail('failed', errors);
    else this.#finish('complete', this.#format.complete);
  }

  /** Breaks it off, so that its client comes back; resolves once all that waits for the client has been sent. */
  interrupt(): Promise<void> {
    const { raw } = this.#reply;
    const closed = new Promise<void>((resolve) => void raw.once('close', resolve));
    this.#finish('restart', this.#format.interrupted(this.#told([restarted])));
    this.#cutWithin(2_000);
    return closed;
  }

  #write(text: string): void {
    if (this.#isOver) return;
    this.open();
    const { raw } = this.#reply;
    if (raw.writableLength > this.#settings.limits.bufferBytes) {
      meet('bufferBytes');
      this.#finish('slow', this.#format.interrupted(this.#told([tooSlow])));
      return;
    }
    raw.write(text);
    this.#heartbeat?.refresh();
  }

  #fail(reason: Reason, errors: readonly GraphQLFormattedError[]): void {
    this.#finish(reason, this.#format.failed(this.#told(errors)));
  }

  #told(errors: readonly GraphQLFormattedError[]): string {
    return JSON.stringify(this.#settings.format(errors));
  }

  /** Sends the last of it to whoever reads on, and cuts off who does not. */
  #finish(reason: Reason, text: string): void {
    if (this.#isOver) return;
    this.open();
    this.#stop(reason);
    this.#cutWithin(closingMs);
    this.#reply.raw.end(text);
  }

  #cutWithin(ms: number): void {
    const { raw } = this.#reply;
    const cut = setTimeout(() => raw.destroy(), ms);
    raw.once('close', () => clearTimeout(cut));
  }

  /** Frees all that it holds but what waits to be sent. */
  #stop(reason: Reason): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#heartbeat);
    this.#stopWaiting?.();
    this.unsubscribe?.();
    const { name } = this.#format;
    metrics.streams.labels('gateway', name).dec();
    metrics.streamsEnded.labels('gateway', name, reason).inc();
    const { log } = this.#settings;
    if (!log.isLevelEnabled('debug')) return;
    const ms = Math.round(performance.now() - this.#began);
    const { requestId } = this.#request.context;
    log.debug(
      { service: 'gateway', requestId, format: name, reason, events: this.#events, ms },
      'stream ended',
    );
  }
}

const meet = (limit: keyof SocketLimits): void => metrics.socketLimits.inc({ service: 'gateway', limit });

/** After so many seconds a client that found no room is to come back. */
const retryAfterS = 5;
const codeOf: Record<429 | 503, ErrorCode> = { 429: 'RATE_LIMITED', 503: 'SERVICE_UNAVAILABLE' };
const noRoom = (status: 429 | 503, message: string): GraphQLError =>
  problem(codeOf[status], message, { http: { status, retryAfterS } });

const restarts = 'The gateway is restarted; subscribe again, with the last cursor.';
const restarted = problem('SERVICE_UNAVAILABLE', restarts).toJSON();
const tooSlow = problem(
  'SERVICE_UNAVAILABLE',
  'Events come faster than they are read; subscribe again, with the last cursor.',
).toJSON();
const unauthenticated = (why: string) =>
  problem(
    'UNAUTHENTICATED',
    `${why.replace(/^./, (first) => first.toUpperCase())}; subscribe again with a new access token, and the last cursor.`,
  ).toJSON();
