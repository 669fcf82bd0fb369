/** How a subscription is written into the body of an answer that goes on for as long as it runs. */
export interface StreamFormat {
  readonly name: 'sse' | 'multipart';
  /** What an `accept` header calls it. */
  readonly media: string;
  /** The parameter that has to stand with it there, without which it is something else. */
  readonly parameter: RegExp | undefined;
  readonly contentType: string;
  /** Whether a GET may ask for it. */
  readonly byGet: boolean;
  /** The header with the cursor of the last event that a client has had, where clients send one by themselves. */
  readonly resumeHeader: string | undefined;
  /** Sent at once, so that whoever is between sends the head of the answer. */
  readonly opening: string;
  /** Says nothing, and that the connection lives. */
  readonly heartbeat: string;
  /** An answer, JSON, and the cursor to resume from after it. */
  next(payload: string, cursor?: unknown): string;
  readonly complete: string;
  /** It is over for good, for reasons that are a JSON list of errors. */
  failed(errors: string): string;
  /** It is broken off, and clients that come back by themselves do. */
  interrupted(errors: string): string;
}

/** In the id of an event it must not be more than one line, and comes back in a header. */
const fitsLine = /^[\x21-\x7e]+$/;
const idOf = (cursor: unknown): string =>
  typeof cursor === 'string' && fitsLine.test(cursor) ? `id: ${cursor}\n` : '';

const sseNext = (payload: string, cursor?: unknown): string =>
  `${idOf(cursor)}event: next\ndata: ${payload}\n\n`;
// Without the field of data a browser would drop the event.
const sseComplete = 'event: complete\ndata:\n\n';

/**
 * Server-Sent Events in distinct connections mode, by
 * https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md. A stream that ends without `complete` is one
 * that was lost: clients come back, EventSource with the id of the last event.
 */
const sse: StreamFormat = {
  name: 'sse',
  media: 'text/event-stream',
  parameter: undefined,
  contentType: 'text/event-stream; charset=utf-8',
  byGet: true,
  resumeHeader: 'last-event-id',
  opening: ':\n\n',
  heartbeat: ':\n\n',
  next: sseNext,
  complete: sseComplete,
  failed: (errors) => sseNext(`{"errors":${errors}}`) + sseComplete,
  interrupted: (errors) => `: ${errors}\n\n`,
};

/** The boundary ends a part: with it clients know that they have all of it. */
const part = (json: string): string => `\r\ncontent-type: application/json\r\n\r\n${json}\r\n--graphql`;
const multipartFailed = (errors: string): string => `${part(`{"payload":null,"errors":${errors}}`)}--\r\n`;

/**
 * Apollo's multipart protocol, which Apollo Client speaks by itself:
 * https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol. It knows of no
 * other end than these; after one with errors Apollo's RetryLink comes back.
 */
const multipart: StreamFormat = {
  name: 'multipart',
  media: 'multipart/mixed',
  parameter: /^subscriptionspec="?1\.0"?$/,
  contentType: 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
  byGet: false,
  resumeHeader: undefined,
  opening: '\r\n--graphql',
  heartbeat: part('{}'),
  next: (payload) => part(`{"payload":${payload}}`),
  complete: `${part('{"payload":null}')}--\r\n`,
  failed: multipartFailed,
  interrupted: multipartFailed,
};

export const streamFormats: readonly StreamFormat[] = [sse, multipart];
