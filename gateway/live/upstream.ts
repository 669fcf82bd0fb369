import type { ExecutionResult, GraphQLFormattedError } from 'graphql';
import { GraphQLError } from 'graphql';
import { type Client, createClient, type SubscribePayload } from 'graphql-ws';
import WebSocket, { type ClientOptions } from 'ws';
import type { Log } from '../../platform/log.js';
import { subgraphErrors, unavailable } from '../execute/subgraph-errors.js';
import type { SubgraphAddress } from '../supergraph.js';

const messageLimit = 64 * 1024 * 1024;
const handshakeMs = 5_000;
const pingEveryMs = 10_000;
const pongWithinMs = 5_000;
const idleMs = 5_000;

/** What becomes of an upstream operation: events, then exactly one of `error` and `complete`, or neither once released. */
export interface UpstreamSink {
  next(result: ExecutionResult): void;
  error(error: Error): void;
  complete(): void;
}

/** The sockets to the subgraphs: one each, opened by the first operation and shared by all. */
export interface Upstreams {
  /**
   * Starts an operation on a subgraph; the answer releases it there. Its end is told by the sink: the
   * subgraph's own errors as an AggregateError of GraphQLErrors, a socket that is refused or lost as
   * SERVICE_UNAVAILABLE. Nothing is retried: what happened in the gap would be missing without a word.
   */
  open(service: string, payload: SubscribePayload, sink: UpstreamSink): () => void;
  close(): Promise<void>;
}

export function createUpstreams(options: { subgraphs: readonly SubgraphAddress[]; log: Log }): Upstreams {
  const sockets = new Map(
    options.subgraphs.map((subgraph) => [subgraph.name, upstreamSocket(subgraph, options.log)]),
  );
  return {
    open(service, payload, sink) {
      const socket = sockets.get(service);
      if (!socket) throw new Error(`there is no subgraph '${service}'`);
      return socket.open(payload, sink);
    },
    async close() {
      await Promise.all([...sockets.values()].map((socket) => socket.close()));
    },
  };
}

/** ws with limits, which graphql-ws has no way to pass on. */
class BoundedSocket extends WebSocket {
  constructor(url: string, protocols: string, limits?: ClientOptions) {
    super(url, protocols, { handshakeTimeout: handshakeMs, maxPayload: messageLimit, ...limits });
  }
}

interface Running {
  fail(): void;
  /** Started while the socket was closing: it goes out on the next one. */
  waiting: boolean;
}

function upstreamSocket({ name, url }: SubgraphAddress, log: Log) {
  const running = new Set<Running>();
  let socket: WebSocket | undefined;
  let pong: NodeJS.Timeout | undefined;

  const client: Client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: BoundedSocket,
    retryAttempts: 0,
    lazyCloseTimeout: idleMs,
    connectionAckWaitTimeout: handshakeMs,
    keepAlive: pingEveryMs,
    on: {
      opened: (opened) => {
        socket = opened as WebSocket;
      },
      ping: (received) => {
        if (!received) pong = setTimeout(() => client.terminate(), pongWithinMs);
      },
      pong: (received) => {
        if (received) clearTimeout(pong);
      },
      // By itself the client takes a close with 1000 for no loss: it would connect again without a word.
      closed: () => {
        clearTimeout(pong);
        for (const operation of [...running]) {
          if (operation.waiting) operation.waiting = false;
          else operation.fail();
        }
      },
    },
  });

  function open(payload: SubscribePayload, sink: UpstreamSink): () => void {
    let over = false;
    const operation: Running = {
      waiting: socket?.readyState === WebSocket.CLOSING,
      fail: () => finish(() => sink.error(unavailable(name))),
    };
    const finish = (tell: () => void) => {
      if (over) return;
      over = true;
      running.delete(operation);
      release();
      tell();
    };
    running.add(operation);
    const release = client.subscribe(payload, {
      next: (result) => {
        if (over) return;
        // An event has data, if only null. Without, graphql-js tells that it never started: a refusal.
        if (result.data === undefined)
          return finish(() => sink.error(refusal((result.errors ?? []) as GraphQLFormattedError[])));
        sink.next(result as ExecutionResult);
      },
      error: (reason) =>
        finish(() => {
          if (Array.isArray(reason)) return sink.error(refusal(reason as GraphQLFormattedError[]));
          log.warn({ service: 'gateway', subgraph: name, err: asError(reason) }, 'upstream socket lost');
          sink.error(unavailable(name));
        }),
      complete: () => finish(() => sink.complete()),
    });
    return () => finish(() => undefined);
  }

  return {
    open,
    async close() {
      clearTimeout(pong);
      await client.dispose();
    },
  };
}

const refusal = (errors: readonly GraphQLFormattedError[]): AggregateError =>
  new AggregateError(
    subgraphErrors(errors).map(
      ({ message, extensions }) => new GraphQLError(message, { extensions: extensions ?? null }),
    ),
  );

/** A lost socket is told as a close event or an error event. */
function asError(reason: unknown): Error {
  if (reason instanceof Error) return reason;
  const { code, reason: text, message } = reason as { code?: unknown; reason?: unknown; message?: unknown };
  return new Error(String(message ?? `closed with ${code} ${text}`));
}
