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
  /** Its place among all events, `<xid>.<n>`. */
  place: string;
}

export type EventPage = Page<EventRow>;

/** A user as this service knows one: by id. */
export interface UserRef {
  id: string;
}

/** An order as this service knows one: by id. */
export interface OrderRef {
  id: string;
}
