import { type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';
import { type Client, createClient, type SubscribePayload } from 'graphql-ws';
import WebSocket, { type ClientOptions } from 'ws';
import type { Channel } from '../../platform/live/channel.js';
import type { Log } from '../../platform/log.js';
import { subgraphErrors, unavailable } from '../execute/subgraph-errors.js';
import type { SubgraphAddress } from '../supergraph.js';

const messageLimit = 64 * 1024 * 1024;
const handshakeMs = 5_000;
const pingEveryMs = 10_000;
const pongWithinMs = 5_000;
/** The longest that setTimeout takes: an idle socket closes after 24.8 days, and the next operation opens it anew. */
const lazyCloseMs = 2 ** 31 - 1;

/** Where the events of an upstream operation go, and its end; nothing comes once it is released. */
export type UpstreamSink = Pick<Channel<ExecutionResult>, 'push' | 'end'>;

/** The socket to a subgraph: opened by the first operation and shared by all. */
export interface Upstream {
  /**
   * Starts an operation on the subgraph; the answer releases it there. It ends with nothing when it is complete,
   * with the subgraph's own errors as an AggregateError of GraphQLErrors, or with SERVICE_UNAVAILABLE when the
   * socket is refused or lost. Nothing is retried: what happened in the gap would be missing without a word.
   */
  open(payload: SubscribePayload, sink: UpstreamSink): () => void;
  close(): Promise<void>;
}

/** ws with limits, which graphql-ws has no way to pass on. */
class BoundedSocket extends WebSocket {
  constructor(url: string, protocols: string, limits?: ClientOptions) {
    super(url, protocols, { handshakeTimeout: handshakeMs, maxPayload: messageLimit, ...limits });
  }
}

export function openUpstream({ name, url }: SubgraphAddress, log: Log): Upstream {
  /** How each running operation ends when the socket is lost. */
  const running = new Set<() => void>();
  let pong: NodeJS.Timeout | undefined;
  const client: Client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: BoundedSocket,
    retryAttempts: 0,
    lazyCloseTimeout: lazyCloseMs,
    connectionAckWaitTimeout: handshakeMs,
    keepAlive: pingEveryMs,
    on: {
      ping(received) {
        if (!received) pong = setTimeout(() => client.terminate(), pongWithinMs);
      },
      pong: () => clearTimeout(pong),
      error: (err) => log.warn({ service: 'gateway', subgraph: name, err }, 'upstream socket failed'),
      // By itself the client takes a close with 1000 for no loss: it would connect again without a word.
      closed() {
        clearTimeout(pong);
        for (const fail of [...running]) fail();
      },
    },
  });

  function open(payload: SubscribePayload, sink: UpstreamSink): () => void {
    let over = false;
    const finish = (end?: () => void) => {
      if (over) return;
      over = true;
      running.delete(fail);
      release();
      end?.();
    };
    const fail = () => finish(() => sink.end(unavailable(name)));
    const refuse = (errors: readonly GraphQLFormattedError[]) => finish(() => sink.end(refusal(errors)));
    running.add(fail);
    const release = client.subscribe(payload, {
      next(result) {
        // An event has data, if only null. Without, graphql-js tells that it never started.
        if (result.data === undefined) refuse(result.errors ?? []);
        else if (!over) sink.push(result as ExecutionResult);
      },
      error: (reason) => (Array.isArray(reason) ? refuse(reason) : fail()),
      complete: () => finish(() => sink.end()),
    });
    return () => finish();
  }

  return { open, close: async () => void (await client.dispose()) };
}

const refusal = (errors: readonly GraphQLFormattedError[]): AggregateError =>
  new AggregateError(
    subgraphErrors(errors).map(
      ({ message, extensions }) => new GraphQLError(message, { extensions: extensions ?? null }),
    ),
  );
