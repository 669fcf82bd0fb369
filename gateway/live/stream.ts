import type { GraphQLFormattedError } from 'graphql';
import { metrics } from '../../platform/metrics.js';
import type { GatewayContext } from '../context.js';
import type { OperationRequest } from '../execute/engine.js';
import { Feed, type FeedSettings, type FeedSource, type LiveEvent } from './feed.js';
import type { LivePlan } from './plan.js';

/** Who gets the events of a subscription. */
export interface Subscriber {
  /** The payload of a `next` message, JSON, and the cursor to resume from after it; undefined where it cannot be. */
  next(text: string, cursor: unknown): void;
  /** It is over: complete, or with the reasons, which are not yet as clients may see them. */
  end(errors?: readonly GraphQLFormattedError[]): void;
}

/** Somebody's subscription. */
export interface Member {
  readonly request: OperationRequest;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly context: GatewayContext;
  readonly subscriber: Subscriber;
  /** By the supergraph that is served. */
  source: FeedSource;
  /** The stream that it is in; undefined once it is over. */
  stream: Stream | undefined;
  /** The cursor that the subscriber is at: that of its last event, or what it came with. Kept up while it has a feed of its own. */
  last: unknown;
  /** What it catches up by; undefined while it gets what all get. */
  own: Feed | undefined;
  /** Its own feed only shows whether it may see what it has, and that nothing is newer. */
  isProbing: boolean;
  /** The event of `last` was told by its own feed: a cursor alone, which can be guessed, shows no right to the next. */
  mayJoin: boolean;
}

/** What a stream needs of those that hold it. */
export interface Streams {
  settings: FeedSettings;
  /** A stream takes nobody any more. */
  forget(stream: Stream): void;
  /** Puts somebody into a stream, with what it has. */
  place(member: Member): void;
  /** Somebody's subscription is over by itself. */
  end(member: Member, errors?: readonly GraphQLFormattedError[]): void;
}

/** So many events are kept for those who catch up; who is further behind goes on by itself. */
const mostRecent = 1_000;

/**
 * One subscription as all have it who ask for the same: one feed, on behalf of one of them, and each of its events for
 * all. Who comes later gets the present state, or what was since its cursor, by a feed of its own, which shows too that
 * it may; where that has come to an event that the stream has had, it takes the rest from the stream.
 */
export class Stream {
  readonly key: string;
  readonly #streams: Streams;
  readonly #joined = new Set<Member>();
  readonly #catching = new Set<Member>();
  readonly #feed: Feed;
  #leader: Member;
  /** The cursor of the last event that all have had. */
  #last: unknown;
  #hasBegun = false;
  /** What all have had since the first of those began who catch up, and the event before. */
  #recent: Pick<LiveEvent, 'cursor' | 'text'>[] = [];

  constructor(key: string, streams: Streams, first: Member) {
    this.key = key;
    this.#streams = streams;
    this.#leader = first;
    this.#last = first.last;
    this.#feed = first.own ?? this.#feedFor(first, first.last);
    first.own = undefined;
    this.#feed.redirect({ event: (event) => this.#tell(event), end: (errors) => this.#end(errors) });
    this.#join(first);
  }

  /** Takes somebody in, unless what has come to the others cannot be had any more. */
  admit(member: Member): boolean {
    const { plan } = member.source;
    if (!plan.isResumable) {
      if (this.#hasBegun) return false;
      this.#join(member);
      return true;
    }
    member.stream = this;
    // Until it has begun nobody knows whether its first may see it.
    const isKnown = this.#hasBegun && isSame(member.context, this.#leader.context);
    if (!member.own && member.last === this.#last && isKnown) {
      this.#join(member);
      return true;
    }
    if (this.#catching.size === 0)
      this.#recent = this.#last === undefined ? [] : [{ cursor: this.#last, text: '' }];
    this.#catching.add(member);
    if (member.own) {
      this.#catchUpBy(member, member.own);
      this.#attach(member);
    } else {
      member.isProbing = member.last !== undefined && member.last === this.#last;
      this.#catchUpBy(member, this.#feedFor(member, member.isProbing ? undefined : member.last));
    }
    return true;
  }

  leave(member: Member): void {
    member.stream = undefined;
    member.own?.close();
    member.own = undefined;
    if (this.#catching.delete(member) && this.#catching.size === 0) this.#recent = [];
    if (!this.#joined.delete(member)) return;
    if (this.#joined.size === 0) {
      this.#feed.close();
      this.#dissolve();
    } else if (member === this.#leader) this.#lead();
  }

  /** Goes on by another supergraph; who asks for what that has not is told so. */
  renew(sourceOf: (member: Member) => FeedSource | readonly GraphQLFormattedError[]): void {
    const lost = new Map<Member, readonly GraphQLFormattedError[]>();
    let isAlike = true;
    for (const member of [...this.#catching, ...this.#joined]) {
      const source = sourceOf(member);
      if ('plan' in source) {
        isAlike &&= areAlike(source.plan, member.source.plan);
        member.source = source;
      } else lost.set(member, source);
    }
    for (const member of this.#catching) {
      if (isAlike) member.own?.moveTo(member.source);
      else beginAnew(member);
    }
    // Those who catch up go first: once all have left who have joined, the others find another stream.
    for (const [member, errors] of lost) {
      this.leave(member);
      this.#streams.end(member, errors);
    }
    if (this.#joined.size === 0) return;
    if (isAlike) this.#feed.moveTo(this.#leader.source);
    else this.#part();
  }

  /** All find other streams, where they were. */
  #part(): void {
    this.#feed.close();
    this.#streams.forget(this);
    for (const member of this.#joined) member.last = this.#last;
    for (const member of [...this.#joined, ...this.#catching]) this.#streams.place(member);
  }

  #feedFor(member: Member, after: unknown): Feed {
    member.mayJoin = false;
    const { source, variables, context } = member;
    const sink = { event: () => undefined, end: () => undefined };
    return new Feed({ source, variables, context, after, settings: this.#streams.settings, sink });
  }

  #join(member: Member): void {
    member.stream = this;
    this.#joined.add(member);
  }

  #lead(): void {
    const [next] = this.#joined;
    if (!next) return;
    this.#leader = next;
    this.#feed.passTo(next.context);
  }

  /** Tells all of an event. */
  #tell(event: LiveEvent): void {
    const { text, cursor, committedAt } = event;
    if (cursor !== undefined) this.#last = cursor;
    this.#hasBegun = true;
    metrics.deliveries.inc(this.#joined.size);
    for (const { subscriber } of this.#joined) subscriber.next(text, cursor);
    if (committedAt !== undefined) metrics.deliveryLag.observe((Date.now() - committedAt) / 1000);
    if (this.#catching.size === 0) return;
    this.#recent.push({ cursor, text });
    if (this.#recent.length > mostRecent) this.#recent.shift();
    for (const member of this.#catching) if (member.last === cursor) this.#attach(member);
  }

  #end(errors?: readonly GraphQLFormattedError[]): void {
    const leader = this.#leader;
    if (errors?.some(isRefusal)) {
      // The word is about one of them; the others are not told of it.
      if (!this.#feed.isOfAnother) {
        this.#joined.delete(leader);
        this.#streams.end(leader, errors);
        this.#lead();
      }
      if (this.#joined.size > 0) {
        this.#feed.restart();
        return;
      }
    }
    this.#streams.forget(this);
    for (const member of [...this.#joined]) this.#streams.end(member, errors);
    this.#dissolve();
  }

  /** Those who catch up find another stream, or become one. */
  #dissolve(): void {
    this.#streams.forget(this);
    const left = [...this.#catching];
    this.#catching.clear();
    for (const member of left) {
      if (member.isProbing) beginAnew(member);
      this.#streams.place(member);
    }
  }

  #catchUpBy(member: Member, feed: Feed): void {
    member.own = feed;
    feed.redirect({
      event: (event) => (member.isProbing ? this.#probed(member, event) : this.#caughtUpTo(member, event)),
      end: (errors) => {
        if (member.isProbing && !errors) return this.#catchUpBy(member, this.#resumed(member));
        this.#catching.delete(member);
        this.#streams.end(member, errors);
      },
    });
  }

  #resumed(member: Member): Feed {
    member.isProbing = false;
    member.own?.close();
    return this.#feedFor(member, member.last);
  }

  #caughtUpTo(member: Member, { text, cursor, committedAt }: LiveEvent): void {
    if (cursor !== undefined) member.last = cursor;
    member.mayJoin = cursor !== undefined;
    metrics.deliveries.inc();
    member.subscriber.next(text, cursor);
    if (committedAt !== undefined) metrics.deliveryLag.observe((Date.now() - committedAt) / 1000);
    this.#attach(member);
  }

  /** The present state has come to somebody who has a cursor. Where they are the same, there is nothing to catch up. */
  #probed(member: Member, { cursor }: LiveEvent): void {
    member.isProbing = false;
    member.mayJoin = cursor === member.last;
    if (!this.#attach(member)) this.#catchUpBy(member, this.#resumed(member));
  }

  /** Joins somebody who has come to an event that all have had. */
  #attach(member: Member): boolean {
    const { last, mayJoin } = member;
    if (!mayJoin || !this.#catching.has(member)) return false;
    const at = this.#recent.findLastIndex(({ cursor }) => cursor === last);
    if (at < 0) return false;
    member.own?.close();
    member.own = undefined;
    this.#catching.delete(member);
    this.#joined.add(member);
    for (const { text, cursor } of this.#recent.slice(at + 1)) {
      metrics.deliveries.inc();
      member.subscriber.next(text, cursor);
    }
    if (this.#catching.size === 0) this.#recent = [];
    return true;
  }
}

/** Leaves somebody no feed to go on by, but the cursor. */
function beginAnew(member: Member): void {
  member.own?.close();
  member.own = undefined;
  member.isProbing = false;
}

/** Whether those who share by one plan may share by another. */
const areAlike = (one: LivePlan, other: LivePlan): boolean =>
  one.identity === other.identity && one.isShared === other.isShared && one.isResumable === other.isResumable;

/** Whether two contexts are of the same person with the same rights. */
const isSame = (one: GatewayContext, other: GatewayContext): boolean => whoIs(one) === whoIs(other);

/** Who asks, as text: the same for all tokens of one person with one role. */
export const whoIs = ({ principal, authorization = '' }: GatewayContext): string =>
  principal ? `${principal.role} ${principal.userId}` : authorization;

const refusals = new Set<unknown>(['UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND']);
const isRefusal = ({ extensions }: GraphQLFormattedError): boolean => refusals.has(extensions?.['code']);
