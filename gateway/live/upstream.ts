import { type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';
import { type Client, createClient, type SubscribePayload } from 'graphql-ws';
import WebSocket, { type ClientOptions } from 'ws';
import type { Log } from '../../platform/log.js';
import { subgraphErrors, unavailable } from '../execute/subgraph-errors.js';
import type { SubgraphAddress } from '../supergraph.js';
import type { EventQueue } from './queue.js';

const messageLimit = 64 * 1024 * 1024;
const handshakeMs = 5_000;
const pingEveryMs = 10_000;
const pongWithinMs = 5_000;
const idleMs = 5_000;

/** Where the events of an upstream operation go, and its end; nothing comes once it is released. */
type UpstreamSink = Pick<EventQueue<ExecutionResult>, 'push' | 'end'>;

/** The sockets to the subgraphs: one each, opened by the first operation and shared by all. */
export interface Upstreams {
  /**
   * Starts an operation on a subgraph; the answer releases it there. It ends with nothing when it is complete,
   * with the subgraph's own errors as an AggregateError of GraphQLErrors, or with SERVICE_UNAVAILABLE when the
   * socket is refused or lost. Nothing is retried: what happened in the gap would be missing without a word.
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
      error: (error) =>
        log.warn({ service: 'gateway', subgraph: name, err: error }, 'upstream socket failed'),
      // By itself the client takes a close with 1000 for no loss: it would connect again without a word.
      closed: (event) => {
        clearTimeout(pong);
        const { code, reason } = event as { code?: number; reason?: string };
        if (running.size > 0)
          log.warn({ service: 'gateway', subgraph: name, code, reason }, 'upstream socket lost');
        for (const operation of [...running]) {
          if (operation.waiting) operation.waiting = false;
          else operation.fail();
        }
      },
    },
  });

  function open(payload: SubscribePayload, sink: UpstreamSink): () => void {
    let over = false;
    const finish = (end?: () => void) => {
      if (over) return;
      over = true;
      running.delete(operation);
      release();
      end?.();
    };
    const refuse = (errors: unknown) => finish(() => sink.end(refusal(errors as GraphQLFormattedError[])));
    const operation: Running = {
      waiting: socket?.readyState === WebSocket.CLOSING,
      fail: () => finish(() => sink.end(unavailable(name))),
    };
    running.add(operation);
    const release = client.subscribe(payload, {
      next(result) {
        // An event has data, if only null. Without, graphql-js tells that it never started.
        if (result.data === undefined) refuse(result.errors ?? []);
        else if (!over) sink.push(result as ExecutionResult);
      },
      error: (reason) => (Array.isArray(reason) ? refuse(reason) : operation.fail()),
      complete: () => finish(() => sink.end()),
    });
    return () => finish();
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
