/** What a `subscribe` message carries. */
export interface Operation {
  query: string;
  operationName?: string | null;
  variables?: Record<string, unknown> | null;
  extensions?: Record<string, unknown> | null;
}

/** A subscription that stays open for as long as an audit takes. */
export interface Stream {
  operation: Operation;
  /** Makes it send one event more. Without, the audits wait for events that come by themselves. */
  change?: () => Promise<unknown>;
  /** It says nothing of itself, not even at its beginning. */
  silent?: boolean;
  /** How one comes back to it: the cursor's place in an event, and the variable that takes the last one seen. */
  resume?: { path: string; variable: string };
}

/** A server, and what is known of it. All that is optional only decides which audits are skipped. */
export interface Target {
  /** ws: or wss: */
  url: string;
  /** Of the handshake. */
  headers: Record<string, string>;
  /** The payload of connection_init; none unless given. */
  init: Record<string, unknown> | undefined;
  /** A payload of connection_init that the server refuses. */
  refusedInit?: Record<string, unknown>;
  query: Operation;
  mutation: Operation;
  /** A query that takes long enough to be given up before it is answered. */
  slowQuery?: Operation;
  /** Each call may answer another one, so that audits do not see each other's changes. */
  stream?: () => Promise<Stream>;
  /** A subscription that completes by itself. */
  finite?: () => Promise<Operation>;
  /** How long to wait for what must come, in ms. */
  patienceMs: number;
  /** How long to wait for the server to give up a client that does not initialise, in ms; null: not at all. */
  initTimeoutMs: number | null;
}

export const subprotocol = 'graphql-transport-ws';
