import type { IncomingMessage } from 'node:http';
import type { GraphQLFormattedError } from 'graphql';
import { createRights, heedRights } from '../platform/auth/rights.js';
import type { Redis } from '../platform/cache/redis.js';
import { clientAddress as clientAddressBy, networkOf } from '../platform/client-address.js';
import type { Executor } from '../platform/config.js';
import { errorFormatter } from '../platform/graphql/errors.js';
import { createHttpServer, listen, reachable } from '../platform/http.js';
import { createPlaces } from '../platform/live/places.js';
import type { Log } from '../platform/log.js';
import { type SocketLimits, serveSockets, trusting } from '../platform/sockets.js';
import { createConnections } from './connections.js';
import { openGraph } from './graph.js';
import { type OperationLimits, unlimited } from './guard/guarded.js';
import { createRateLimit, createSharedRateLimit, tooOften } from './guard/rate-limit.js';
import { allowOrigins } from './http/cors.js';
import { serveGraphQL } from './http/graphql.js';
import type { Trusted } from './http/persisted.js';
import { createStreams } from './http/streams.js';
import { gatewayVerifier, serveKeys } from './jwks.js';
import { createLiveHub } from './live/streams.js';
import { socketOperations } from './socket-operations.js';
import { loadSupergraph } from './supergraph.js';
import { createSwaps } from './swaps.js';

export interface GatewayOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  log: Log;
  /** The supergraph's SDL. */
  supergraph: string;
  /** Addresses of subgraphs by name, in place of those in the supergraph. */
  subgraphUrls?: Record<string, string>;
  /** Where the keys of access tokens are; without it every token is refused. */
  jwksUrl?: string;
  readTimeoutMs: number;
  /** How long a connection may stay silent while it is answered, 0 for ever; answers leave before that. */
  writeTimeoutMs: number;
  introspection: boolean;
  /** Who executes operations, the compiled path unless told. */
  executor?: Executor;
  /** Whether identical reads under way for the same token are fetched once; they are unless told. */
  dedup?: boolean;
  /** How long it goes on taking requests once it stops, in ms, 0 unless told; it is not ready then. */
  lameDuckMs?: number;
  /** How long a subgraph may take to answer a fetch, 10 s unless told. */
  subgraphTimeoutMs?: number;
  /** How long a subscription waits for a subgraph that is away, before it ends with an error; a minute unless told. */
  subscriptionPatienceMs?: number;
  /** How long an event waits for subgraphs that complete it, before it goes out with nulls and errors; as long, and 10 s at most, unless told. */
  eventPatienceMs?: number;
  /** What an operation may be made of and cost; only its length is limited unless told. */
  operationLimits?: OperationLimits;
  /** How many requests a second somebody may make, by user, else by address; without end unless told. */
  requestsPerSecond?: number;
  /** Where all gateways count that together; each counts by itself unless told. */
  redis?: Redis | undefined;
  /** Documents that clients were built with, and whether nothing else is run. */
  trusted?: Trusted | undefined;
  /** Pages of these origins may ask; `*` is all of them. */
  corsOrigins?: readonly string[];
  /** Proxies whose word for the address of a client counts. */
  trustedProxies?: readonly string[];
  /** What clients may take of it by WebSocket, and by streams over HTTP; only sizes and times are limited unless told. */
  socketLimits?: Partial<SocketLimits>;
}

export interface Gateway {
  port: number;
  /** http://host:port, where /graphql is; a wildcard host is given as one that a browser can open. */
  url: string;
  /**
   * Serves another supergraph from now on. What runs goes on by the one that it began with, and loses nothing.
   * @throws Error where it cannot be served; the old one stays
   */
  swap(supergraph: string): Promise<void>;
  /**
   * Stops without breaking anything off: requests that come before `lameDuckMs` is over or are under way then are
   * answered, and sockets are closed with 1012 and streams broken off, after which clients come back. A second call waits for the first.
   */
  stop(): Promise<void>;
}

/**
 * Starts the public door: GraphQL over HTTP and WebSocket at /graphql. It listens when this resolves;
 * /health/ready tells when every subgraph answers too.
 * @throws Error where the supergraph cannot be read or the port is taken
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { log, introspection, subgraphUrls, trusted } = options;
  const rps = options.requestsPerSecond ?? Number.POSITIVE_INFINITY;
  const { redis } = options;
  const rate = redis ? createSharedRateLimit(rps, redis) : createRateLimit(rps);
  const clientAddress = clientAddressBy(options.trustedProxies ?? []);
  const supergraph = loadSupergraph(options.supergraph, subgraphUrls);
  // Subgraphs tell it over their sockets, and so for as long as there are subscriptions.
  const rights = createRights();
  const verifier = heedRights(gatewayVerifier(options.jwksUrl), rights);
  // The rest is for what follows the last fetch, so that a partial answer leaves before its connection is cut.
  const answerWithinMs = options.writeTimeoutMs * 0.9 || Number.POSITIVE_INFINITY;
  const patienceMs = options.subscriptionPatienceMs ?? 60_000;
  const connections = createConnections({
    log,
    timeoutMs: options.subgraphTimeoutMs ?? 10_000,
    patienceMs,
    dedup: options.dedup ?? true,
    rights,
  });
  const graphOptions = {
    connections,
    executor: options.executor ?? 'doorstep',
    introspection,
    limits: options.operationLimits ?? unlimited,
    log,
  };
  let graph = await openGraph(supergraph, graphOptions);
  const format = errorFormatter('gateway', log, { suggestions: introspection });
  const formatAll = (errors: readonly GraphQLFormattedError[]) => errors.map((error) => format(error, error));
  const hub = createLiveHub({
    graph: () => graph,
    settings: {
      answerWithinMs,
      eventPatienceMs: options.eventPatienceMs ?? Math.min(10_000, patienceMs),
      patienceMs,
      format: formatAll,
    },
  });
  const limits = { ...trusting, ...options.socketLimits };
  const places = createPlaces(limits);
  const networkAddress = (request: IncomingMessage): string => networkOf(clientAddress(request));
  // Three in the time after which a silent connection is cut; proxies have such times too.
  const heartbeatMs = Math.min(options.writeTimeoutMs / 3 || 12_000, 12_000);
  const streams = createStreams({
    hub,
    places,
    settings: { log, limits, heartbeatMs, addressOf: networkAddress, format: formatAll, rights },
  });

  let stopping: Promise<void> | undefined;
  const app = createHttpServer({
    service: 'gateway',
    log,
    readTimeoutMs: options.readTimeoutMs,
    writeTimeoutMs: options.writeTimeoutMs,
    lameDuckMs: options.lameDuckMs,
    closeSockets: async () => void (await Promise.all([sockets.close(), streams.close()])),
    missing: () => (stopping ? ['gateway: it is stopping'] : graph.missing()),
    degraded: () => [...(redis && !redis.answers ? ['gateway: redis'] : []), ...graph.degraded()],
  });
  serveKeys(app, { log, ...(options.jwksUrl !== undefined && { jwksUrl: options.jwksUrl }) });
  app.get('/', async (_request, reply) => reply.redirect('/graphql'));
  allowOrigins(app, options.corsOrigins ?? []);
  serveGraphQL(app, {
    verifier,
    log,
    answerWithinMs,
    isOpen: introspection,
    graph: () => graph,
    streams,
    rate,
    trusted,
    clientAddress,
  });
  const sockets = serveSockets({
    server: app.server,
    service: 'gateway',
    verifier,
    log,
    operations: socketOperations({
      log,
      graph: () => graph,
      answerWithinMs,
      hub,
      rate,
      trusted,
      clientAddress,
    }),
    limits,
    places,
    rights,
    addressOf: networkAddress,
    // As by HTTP: a token that has not been seen yet costs its address.
    async beforeCheck(request, authorization) {
      if (verifier.recall?.(authorization)) return;
      const seconds = await rate.take(networkAddress(request));
      if (seconds > 0) throw tooOften(seconds);
    },
  });

  const swaps = createSwaps({
    log,
    async open(sdl) {
      const next = await openGraph(loadSupergraph(sdl, subgraphUrls), graphOptions);
      // Else /health/ready would miss subgraphs that are there and have not been asked yet.
      await next.known();
      const old = graph;
      graph = next;
      hub.renew();
      return { retired: old.retire() };
    },
  });

  async function stop(): Promise<void> {
    await app.close();
    await swaps.close();
    await graph.retire();
  }
  const stopOnce = () => {
    stopping ??= stop();
    return stopping;
  };

  try {
    const port = await listen(app, options);
    return {
      port,
      url: `http://${reachable(options.host)}:${port}`,
      swap: swaps.swap,
      stop: stopOnce,
    };
  } catch (error) {
    await stopOnce();
    throw error;
  }
}
