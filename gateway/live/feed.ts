import type { GraphQLFormattedError } from 'graphql';
import { pause } from '../../platform/bell.js';
import { backoff } from '../../platform/bus/bus.js';
import { problem } from '../../platform/errors.js';
import type { GatewayContext } from '../context.js';
import type { LiveOperation, Event as UpstreamEvent } from '../execute/engine.js';
import { isEntity } from '../execute/entity.js';
import { failureOf } from '../execute/subgraph-errors.js';
import { asTrace } from '../tracing.js';
import type { LivePlan } from './plan.js';
import type { Upstream, UpstreamRun } from './upstream.js';

/** An event as clients get it. */
export interface LiveEvent {
  /** The payload of its message, JSON. */
  text: string;
  /** Undefined where the subscription cannot be resumed. */
  cursor: unknown;
  /** When the change was committed, in ms since 1970; undefined for what is no news. */
  committedAt: number | undefined;
}

export interface FeedSink {
  event(event: LiveEvent): void;
  /** It is over: complete, or with the reasons, which are not yet as clients may see them. */
  end(errors?: readonly GraphQLFormattedError[]): void;
}

/** Where events come from, and how each becomes an answer: what a new supergraph may change. */
export interface FeedSource {
  live: LiveOperation;
  plan: LivePlan;
  upstream: Upstream;
  /** Keeps the supergraph from being closed, until the answer is called. */
  hold(): () => void;
}

export interface FeedSettings {
  /** How long an event may take, in ms; as long as its fetches take unless told. */
  answerWithinMs: number;
  /** How long an event waits for subgraphs that are away, before it goes out with nulls and errors. */
  eventPatienceMs: number;
  /** How long the feed waits for its own subgraph, before it ends with an error that says to retry. */
  patienceMs: number;
  format: (errors: readonly GraphQLFormattedError[]) => readonly GraphQLFormattedError[];
}

/** So many events may wait to be completed; what is more is asked for again later, or where that cannot be is too much. */
const mostWaiting = 1_000;

/**
 * One subscription of a subgraph, whose events are completed from the others one after the other, with fresh data.
 * It goes on over lost sockets and restarts from the last event that it has had; where the subscription cannot be
 * resumed, from the present state.
 */
export class Feed {
  readonly #settings: FeedSettings;
  readonly #variables: Readonly<Record<string, unknown>>;
  #sink: FeedSink;
  #source: FeedSource;
  #context: GatewayContext;
  /** On whose behalf the subgraph runs it: that of an earlier context until it begins anew. */
  #ranAs: GatewayContext;
  #run: UpstreamRun;
  /** The cursor of the last event that was taken. */
  #position: unknown;
  /** What has been taken and not told, the one that is being completed first. */
  readonly #waiting: Taken[] = [];
  #isCompleting = false;
  #isFull = false;
  #isClosed = false;
  #ended: { errors?: readonly GraphQLFormattedError[] } | undefined;
  /** Since when the events of its own subgraph have come with errors that may pass, by performance.now(). */
  #failingSince: number | undefined;
  /** Others are away, and an event has waited for them: the next does not. */
  #hasWaited = false;
  #stopWaiting: AbortController | undefined;
  /** The last event of a subscription that has no cursors: a subgraph that is asked anew may tell it again. */
  #lastTold: string | undefined;
  /** Nothing has come since it began, or began anew. */
  #isFirst = true;

  constructor(options: {
    source: FeedSource;
    variables: Readonly<Record<string, unknown>>;
    context: GatewayContext;
    /** The cursor to resume from; undefined for the present state. */
    after: unknown;
    settings: FeedSettings;
    sink: FeedSink;
  }) {
    this.#settings = options.settings;
    this.#variables = options.variables;
    this.#source = options.source;
    this.#context = options.context;
    this.#ranAs = options.context;
    this.#position = options.after;
    this.#sink = options.sink;
    this.#run = this.#begin();
  }

  /** From now on events go there. */
  redirect(sink: FeedSink): void {
    this.#sink = sink;
  }

  /** From now on it is somebody else's, also where it has to begin anew. */
  passTo(context: GatewayContext): void {
    this.#context = context;
  }

  /** Whether the subgraph runs it for somebody who had it before. */
  get isOfAnother(): boolean {
    return this.#ranAs !== this.#context;
  }

  /** Goes on by another supergraph, where it was. */
  moveTo(source: FeedSource): void {
    const before = this.#source;
    this.#source = source;
    const asksTheSame = before.plan.upstreamText === source.plan.upstreamText;
    for (const taken of this.#waiting) {
      if (taken.source !== before) continue;
      // What the subgraph was asked by another text lacks what the new plan expects of it.
      if (asksTheSame) taken.source = source;
      else taken.release = before.hold();
    }
    if (!asksTheSame || before.upstream !== source.upstream) this.restart();
  }

  /** Begins anew, where it was. */
  restart(): void {
    this.#run.release();
    this.#ended = undefined;
    if (!this.#isFull) this.#run = this.#begin();
  }

  /** Frees what it holds, here and in the subgraph, at once; nothing comes after that. */
  close(): void {
    this.#isClosed = true;
    this.#drop();
    this.#stopWaiting?.abort();
    this.#run.release();
  }

  #begin(): UpstreamRun {
    return this.#source.upstream.run({
      payload: () => {
        const { authorization, requestId } = this.#context;
        this.#ranAs = this.#context;
        this.#isFirst = true;
        return {
          ...this.#source.plan.upstream(this.#variables, this.#position),
          extensions: { ...(authorization && { authorization }), requestId },
        };
      },
      next: (event, extensions) => this.#take(event, extensions),
      end: (errors) => {
        this.#ended = errors ? { errors } : {};
        this.#settle();
      },
    });
  }

  #take(event: UpstreamEvent, extensions: unknown): void {
    const { plan } = this.#source;
    const cursor = event.data ? plan.takeCursor(event.data) : undefined;
    if (plan.isResumable ? this.#isIncomplete(event, cursor) : this.#isToldAgain(event)) return;
    this.#failingSince = undefined;
    // A subgraph resumes after a cursor; one that begins with it tells nothing new.
    if (cursor !== undefined && cursor === this.#position) return;
    if (this.#waiting.length >= mostWaiting) {
      this.#overflow();
      return;
    }
    if (cursor !== undefined) this.#position = cursor;
    const committedAt = isEntity(extensions) ? extensions['committedAt'] : undefined;
    this.#waiting.push({
      event,
      cursor,
      committedAt: typeof committedAt === 'number' ? committedAt : undefined,
      source: this.#source,
      release: undefined,
    });
    if (!this.#isCompleting) this.#completeAll().catch((error: unknown) => this.#fail(error));
  }

  /**
   * Whether an event cannot go out, since its subgraph was not able to tell all of it: it is to be had again, in a
   * better state. Once that has gone on for too long it goes out as it is, but never without a cursor: the next one
   * would hide that it is missing.
   */
  #isIncomplete({ errors }: UpstreamEvent, cursor: unknown): boolean {
    if (errors.length === 0 || (cursor !== undefined && countAway(errors) === 0)) return false;
    const now = performance.now();
    this.#failingSince ??= now;
    const failingMs = now - this.#failingSince;
    if (cursor !== undefined && failingMs >= this.#settings.eventPatienceMs) return false;
    if (errors.some(mayPass) && failingMs < this.#settings.patienceMs) this.#run.again();
    else {
      this.#run.release();
      this.#ended = { errors };
      this.#settle();
    }
    return true;
  }

  /** Whether the first event since it began anew is the last one before that, whatever others would say of it by now. */
  #isToldAgain({ data }: UpstreamEvent): boolean {
    const told = textOf(data);
    const isAgain = this.#isFirst && told !== undefined && told === this.#lastTold;
    this.#isFirst = false;
    this.#lastTold = told;
    return isAgain;
  }

  /** Events come faster than they can be completed. */
  #overflow(): void {
    this.#run.release();
    if (this.#source.plan.isResumable) this.#isFull = true;
    else this.#ended = { errors: [tooFast] };
  }

  async #completeAll(): Promise<void> {
    this.#isCompleting = true;
    for (let taken = this.#waiting[0]; taken; taken = this.#waiting[0]) {
      const text = await this.#textOf(taken);
      if (this.#isClosed) return;
      this.#waiting.shift();
      taken.release?.();
      this.#sink.event({ text, cursor: taken.cursor, committedAt: taken.committedAt });
      if (this.#isClosed) return;
    }
    this.#isCompleting = false;
    if (this.#isFull) {
      this.#isFull = false;
      this.#run = this.#begin();
    }
    this.#settle();
  }

  #drop(): void {
    for (const { release } of this.#waiting.splice(0)) release?.();
  }

  /** A fault of ours ends what it happens to, and nothing else. */
  #fail(error: unknown): void {
    this.#run.release();
    this.#drop();
    this.#isCompleting = false;
    this.#isFull = false;
    this.#ended = { errors: [failureOf(error)] };
    this.#settle();
  }

  /** Tells that it is over, once all that came before has been told. */
  #settle(): void {
    if (!this.#ended || this.#isCompleting || this.#isClosed) return;
    const { errors } = this.#ended;
    this.#sink.end(errors);
  }

  async #textOf(taken: Taken): Promise<string> {
    const { event } = taken;
    const { format, eventPatienceMs } = this.#settings;
    const since = performance.now();
    for (let attempt = 1; ; attempt++) {
      const result = await this.#complete(taken);
      const isLate = this.#hasWaited || performance.now() - since >= eventPatienceMs;
      const lacks = countAway(result.errors ?? []) > countAway(event.errors);
      if (!lacks || isLate) this.#hasWaited = lacks;
      if (this.#isClosed || !lacks || isLate) {
        const { data, errors = [] } = result;
        return JSON.stringify(errors.length > 0 ? { data, errors: format(errors) } : { data });
      }
      this.#stopWaiting ??= new AbortController();
      await pause(backoff(attempt, { capMs: 1_000 }), this.#stopWaiting.signal);
    }
  }

  async #complete({ event, source: { live, hold } }: Taken): ReturnType<LiveOperation['complete']> {
    const deadline = performance.now() + this.#settings.answerWithinMs;
    // A read that began before the event may have seen what was before it.
    const context = { ...this.#context, deadline, isFresh: true };
    const release = hold();
    try {
      return await asTrace(context, 'gateway.event', (inner) => live.complete(event, this.#variables, inner));
    } catch (error) {
      return { data: null, errors: [failureOf(error)] };
    } finally {
      release();
    }
  }
}

/** Undefined for what is nested without end, and cannot be written. */
function textOf(data: UpstreamEvent['data']): string | undefined {
  try {
    return JSON.stringify(data);
  } catch {
    return undefined;
  }
}

interface Taken {
  event: UpstreamEvent;
  cursor: unknown;
  committedAt: number | undefined;
  /** What completes it. */
  source: FeedSource;
  /** Lets go of a supergraph that is not served any more. */
  release: (() => void) | undefined;
}

const mayPass = ({ extensions }: GraphQLFormattedError): boolean =>
  extensions?.['code'] === 'SERVICE_UNAVAILABLE' || extensions?.['code'] === 'INTERNAL_SERVER_ERROR';

const tooFast = problem(
  'SERVICE_UNAVAILABLE',
  'Events come faster than they can be completed; subscribe again.',
).toJSON();

/** How many errors say that a subgraph is away; what one has answered and should not have has an id, and stays as it is. */
const countAway = (errors: readonly GraphQLFormattedError[]): number =>
  errors.filter(
    ({ extensions: { code, errorId } = {} }) => code === 'SERVICE_UNAVAILABLE' && errorId === undefined,
  ).length;
