import type { Page } from '../../platform/graphql/connection.js';

export interface EventRow {
  id: string;
  type: string;
  source: string;
  subject: string | null;
  userId: string | null;
  orderId: string | null;
  /** Null once its user has been erased. */
  data: unknown;
  at: Date;
  /** Its place among all events, `<xid>.<n>`; null while it is not known to be stored. */
  place: string | null;
}

export type EventPage = Page<EventRow>;

/** How many events of a type there have been, and how many could not be published. */
export interface CountRow {
  type: string;
  stored: number;
  failed: number;
}

export interface StatsRow {
  counts: CountRow[];
}

/** An event that a group could not handle. `id` begins with when that was. */
export interface DeadLetterRow {
  id: string;
  group: string;
  topic: string;
  reason: string;
  at: Date;
  value: string;
}

export type DeadLetterPage = Page<DeadLetterRow>;

/** A user as this service knows one: by id. */
export interface UserRef {
  id: string;
}

/** An order as this service knows one: by id. */
export interface OrderRef {
  id: string;
}
