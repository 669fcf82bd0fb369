import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type ClosingOptions, closeGently } from './closing.js';
import type { Log } from './log.js';
import { metrics } from './metrics.js';
import type { TallyChild, TimesChild } from './tally.js';

export interface HttpOptions extends ClosingOptions {
  service: string;
  log: Log;
  /** How long a client may take to send a request, in ms. */
  readTimeoutMs: number;
  /** How long a connection may stay silent while it is answered, in ms. */
  writeTimeoutMs: number;
  /** The parts that are still missing; the service is ready when there are none. */
  missing: () => string[];
  /** The parts that are away and done without; none unless told. */
  degraded?: (() => string[]) | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Adds to its line in the log; called only where that is written. */
    logged: ((line: Record<string, unknown>) => void) | null;
    isCounted: boolean;
  }
  interface FastifyReply {
    /** Counts and logs its request now: the answer goes on for as long as the client stays, which measures nothing here. */
    begun(): void;
  }
}

/** A request's body may have this many bytes. */
const bodyLimit = 1024 * 1024;

/**
 * The HTTP server that every service stands on: health, metrics, size and time limits, and errors in
 * GraphQL's shape. Routes are added by the caller, before `listen`.
 */
export function createHttpServer(options: HttpOptions): FastifyInstance {
  const { service, log } = options;
  const app = fastify({
    bodyLimit,
    requestTimeout: options.readTimeoutMs,
    connectionTimeout: options.writeTimeoutMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    trustProxy: false,
  });

  const count = countersOf(service);
  app.decorateRequest('logged', null);
  app.decorateRequest('isCounted', false);
  function answered(request: FastifyRequest, status: number, ms: number): void {
    if (request.isCounted) return;
    request.isCounted = true;
    const { method } = request;
    const route = request.routeOptions.url ?? 'unknown';
    count(method, route, status, ms / 1000);
    if (!log.isLevelEnabled('debug')) return;
    const line = { service, method, route, status, ms: Math.round(ms) };
    request.logged?.(line);
    log.debug(line, 'request');
  }
  app.addHook('onResponse', (request, reply, done) => {
    answered(request, reply.statusCode, reply.elapsedTime);
    done();
  });
  app.decorateReply('begun', function (this: FastifyReply) {
    answered(this.request, this.raw.statusCode, this.elapsedTime);
  });

  closeGently(app, options);

  app.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ service, err: error }, 'request failed');
    return reply.code(status).send({ errors: [describe(status)] });
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ errors: [describe(404)] }));

  app.get('/health/live', async () => ({ status: 'live' }));
  app.get('/health/ready', async (_request, reply) => {
    const missing = options.missing();
    const degraded = options.degraded?.() ?? [];
    if (missing.length === 0) return { status: 'ready', ...(degraded.length > 0 && { degraded }) };
    return reply.code(503).send({ status: 'waiting', missing });
  });
  return app;
}

/** Counts answered requests. What the last kind is counted by is kept. */
function countersOf(
  service: string,
): (method: string, route: string, status: number, seconds: number) => void {
  // Most requests are of the same kind as the one before.
  let last: { method: string; route: string; status: number } | undefined;
  let requests: TallyChild;
  let duration: TimesChild;
  return (method, route, status, seconds) => {
    if (last?.status !== status || last.route !== route || last.method !== method) {
      last = { method, route, status };
      requests = metrics.httpRequests.labels(service, method, route, String(status));
      duration = metrics.httpDuration.labels(service, method, route);
    }
    requests.inc();
    duration.observe(seconds);
  };
}

function describe(status: number): { message: string; extensions: { code: string } } {
  if (status === 413)
    return { message: 'The body has more than 1 MiB.', extensions: { code: 'QUERY_TOO_COMPLEX' } };
  if (status === 404)
    return { message: 'There is nothing here; GraphQL is at /graphql.', extensions: { code: 'NOT_FOUND' } };
  if (status < 500)
    return {
      message: 'The request is not one that GraphQL over HTTP knows: its body must be JSON.',
      extensions: { code: 'BAD_USER_INPUT' },
    };
  return { message: 'Something went wrong here.', extensions: { code: 'INTERNAL_SERVER_ERROR' } };
}

/** Serves the process's metrics at /metrics of this server. */
export function serveMetrics(app: FastifyInstance): void {
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}

/**
 * Listens and answers the port; 0 takes a free one.
 * @throws Error naming the port where it is taken
 */
export async function listen(app: FastifyInstance, at: { host: string; port: number }): Promise<number> {
  try {
    await app.listen(at);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOTFOUND' || code === 'EADDRNOTAVAIL') {
      throw new Error(`HOST names no address of this machine: ${at.host}`);
    }
    if (code !== 'EADDRINUSE') throw error;
    throw new Error(`port ${at.port} of ${at.host} is taken; PORT and METRICS_PORT choose others`);
  }
  return (app.server.address() as AddressInfo).port;
}

/** The host of an address that a client on this machine can open, for one that is listened on. */
export function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
