import type { EventData, Question } from './questions.js';

/** An event that somebody has had. */
export interface Seen {
  /** Where it stands in its history, from its cursor: a sequence, or `<xid>.<id>`; of a payment, its id. */
  position: string;
  status: string;
  /** When it came, in ms since 1970. */
  at: number;
}

interface Payload {
  data?: { event?: EventData | null } | null;
  errors?: readonly { message: string; extensions?: { code?: string } }[];
}

/** A subscription as its subscriber has it: over many sockets, and taken up each time where it was. */
export interface Following {
  readonly question: Question;
  readonly seen: readonly Seen[];
  /** When it first began, in ms since 1970; undefined before. */
  readonly beganAt: number | undefined;
  /** It has completed. */
  readonly isOver: boolean;
  /** What no server may do. */
  readonly wrong: readonly string[];
  /** The payload of `subscribe`, to begin or to go on. */
  begin(): object;
  next(payload: Payload): void;
  /** Answers whether it is to begin anew. */
  error(errors: NonNullable<Payload['errors']>): boolean;
  complete(): void;
}

export interface Counts {
  deliveries: number;
  resumes: number;
  /** Events that came with nulls and errors, since others were away for long. */
  partial: number;
  /** Errors that said to come back. */
  retries: number;
  /** Orders that delivery or payment had not heard of yet. */
  unknown: number;
}

/** base64url of `scope|position` */
const positionOf = (cursor: string): string =>
  Buffer.from(cursor, 'base64url').toString().split('|').at(-1) ?? '';

/** @param totals are counted for all */
export function follow(question: Question, totals: Counts): Following {
  const { kind, id, query } = question;
  const seen: Seen[] = [];
  const wrong: string[] = [];
  let cursor: string | undefined;
  let isOver = false;
  let beganAt: number | undefined;
  let sinceBegin = 0;

  function check({ order, status }: EventData): void {
    if (!order || kind === 'orders' || kind === 'deliveries') return;
    if (order.id !== id) wrong.push(`an event of order ${order.id}`);
    if (order.user === null || order.user?.firstName === '') wrong.push('a user without a name');
    // It is read after the event, and was there before it.
    const isPaid = kind === 'delivery' || status === 'PAID' || status === 'COMPLETED';
    if (isPaid && order.payment === null) wrong.push(`no payment at ${status}`);
  }

  return {
    question,
    seen,
    wrong,
    get beganAt() {
      return beganAt;
    },
    get isOver() {
      return isOver;
    },
    begin() {
      beganAt ??= Date.now();
      sinceBegin = 0;
      if (cursor !== undefined) totals.resumes++;
      return {
        query,
        variables: { ...(id && kind !== 'orders' && { id }), ...(cursor && { after: cursor }) },
      };
    },
    next({ data, errors }) {
      const event = data?.event;
      if (!event?.cursor)
        return void wrong.push(`an event without a cursor: ${JSON.stringify({ data, errors })}`);
      totals.deliveries++;
      sinceBegin++;
      if (errors) {
        totals.partial++;
        const other = errors.find(({ extensions }) => extensions?.code !== 'SERVICE_UNAVAILABLE');
        if (other) wrong.push(`an event with ${JSON.stringify(other)}`);
      } else check(event);
      const position = kind === 'payment' ? event.cursor : positionOf(event.cursor);
      if (kind === 'payment') {
        // It cannot be resumed: it comes again where its end was not heard of.
        if (sinceBegin > 1) wrong.push('a second payment');
        if (seen.length > 0 && seen[0]?.position === position) return;
      } else cursor = event.cursor;
      seen.push({ position, status: event.status, at: Date.now() });
    },
    error(errors) {
      const codes = new Set(errors.map(({ extensions }) => extensions?.code));
      if (codes.size === 1 && codes.has('SERVICE_UNAVAILABLE')) {
        totals.retries++;
        return true;
      }
      // Others hear of an order by events, which may take long: they wait for 10 s.
      if (codes.size === 1 && codes.has('NOT_FOUND') && seen.length === 0 && kind !== 'order') {
        totals.unknown++;
        return true;
      }
      wrong.push(`refused: ${JSON.stringify(errors)}`);
      return false;
    },
    complete() {
      isOver = true;
      if (kind === 'orders' || kind === 'deliveries') wrong.push('completed, which it never does');
    },
  };
}
