import { fastifyApolloHandler } from '@as-integrations/fastify';
import { createCaller } from '../platform/calls/caller.js';
import type { Executor } from '../platform/config.js';
import { createHttpServer, listen, reachable } from '../platform/http.js';
import type { Log } from '../platform/log.js';
import { serveSockets } from '../platform/sockets.js';
import { requestContext } from './context.js';
import { subgraphDataSource } from './execute/data-source.js';
import { startApollo } from './execute/server.js';
import { asksForPage, sendGraphiQL } from './graphiql/page.js';
import { refuseNesting } from './guard/nesting.js';
import { gatewayVerifier, serveKeys } from './jwks.js';
import { createSubscriptionPlanner } from './live/plans.js';
import { createUpstreams } from './live/upstream.js';
import { watchSubgraphs } from './readiness.js';
import { socketOperations } from './socket-operations.js';
import { loadSupergraph } from './supergraph.js';

/** So many operations may one client's socket run. (A subgraph has no such bound: the gateway's socket to it is everybody's.) */
const maxOperations = 100;

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
}

export interface Gateway {
  port: number;
  /** http://host:port, where /graphql is; a wildcard host is given as one that a browser can open. */
  url: string;
  /**
   * Stops without breaking anything off: requests that come before `lameDuckMs` is over or are under way then are
   * answered, and sockets are closed with 1012, after which clients come back. A second call waits for the first.
   */
  stop(): Promise<void>;
}

/**
 * Starts the public door: GraphQL over HTTP and WebSocket at /graphql. It listens when this resolves;
 * /health/ready tells when every subgraph answers too.
 * @throws Error where the supergraph cannot be read or the port is taken
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { log, introspection } = options;
  const graph = loadSupergraph(options.supergraph, options.subgraphUrls);
  const verifier = gatewayVerifier(options.jwksUrl);
  const timeoutMs = options.subgraphTimeoutMs ?? 10_000;
  // The rest is for what follows the last fetch, so that a partial answer leaves before its connection is cut.
  const answerWithinMs = options.writeTimeoutMs * 0.9 || Number.POSITIVE_INFINITY;
  const callers = new Map(
    graph.subgraphs.map(({ name, url }) => [
      name,
      createCaller({ part: name, url, timeoutMs, log, isMissing: () => readiness.isMissing(name) }),
    ]),
  );
  const dataSources = new Map(
    [...callers].map(([name, caller]) => [name, subgraphDataSource(name, { caller, log })]),
  );
  const server = await startApollo({ supergraph: graph.sdl, dataSources, introspection, log });
  const readiness = watchSubgraphs(graph.subgraphs, (name) => callers.get(name)?.reset());
  const upstreams = createUpstreams({ subgraphs: graph.subgraphs, log });

  let stopping: Promise<void> | undefined;
  const app = createHttpServer({
    service: 'gateway',
    log,
    readTimeoutMs: options.readTimeoutMs,
    writeTimeoutMs: options.writeTimeoutMs,
    lameDuckMs: options.lameDuckMs,
    closeSockets: () => sockets.close(),
    missing: () => (stopping ? ['gateway: it is stopping'] : readiness.missing()),
  });
  serveKeys(app, { log, ...(options.jwksUrl !== undefined && { jwksUrl: options.jwksUrl }) });
  app.get('/', async (_request, reply) => reply.redirect('/graphql'));
  app.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    async preHandler(request, reply) {
      if (asksForPage(request)) return sendGraphiQL(request, reply);
      const refusal = refuseNesting(variablesOf(request.body));
      return refusal && reply.code(400).send({ errors: [refusal] });
    },
    handler: fastifyApolloHandler(server, {
      context: (request) => requestContext(request, verifier, answerWithinMs),
    }),
  });

  const planner = createSubscriptionPlanner(graph, introspection);
  const operations = socketOperations({
    graph,
    planner,
    introspection,
    server,
    upstreams,
    dataSources,
    log,
    answerWithinMs,
  });
  const sockets = serveSockets({
    server: app.server,
    service: 'gateway',
    verifier,
    log,
    operations,
    maxOperations,
  });

  async function stop(): Promise<void> {
    await app.close();
    await readiness.stop();
    await upstreams.close();
    await server.stop();
    await Promise.all([...callers.values()].map((caller) => caller.close()));
  }
  const stopOnce = () => {
    stopping ??= stop();
    return stopping;
  };

  try {
    const port = await listen(app, options);
    return { port, url: `http://${reachable(options.host)}:${port}`, stop: stopOnce };
  } catch (error) {
    await stopOnce();
    throw error;
  }
}

const variablesOf = (body: unknown): unknown =>
  typeof body === 'object' && body !== null && 'variables' in body ? body.variables : undefined;
