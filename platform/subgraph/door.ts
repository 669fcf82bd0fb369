import type { Server } from 'node:http';
import type { FastifyInstance, RouteHandlerMethod } from 'fastify';
import { problem } from '../errors.js';
import { createHttpServer, type HttpOptions, listen, serveMetrics } from '../http.js';

/** What a subgraph answers with, once it can. */
export interface Inside {
  graphql: RouteHandlerMethod;
  serveSockets(server: Server): { close(): Promise<void> };
}

/** A subgraph's port. It listens from the first moment: health and metrics answer, all else is refused until it is opened. */
export interface Door {
  /** Answers the port. */
  listen(at: { host: string; port: number }): Promise<number>;
  open(inside: Inside): void;
  /** Takes no more requests: those that came are answered, WebSockets closed with 1012. Again is harmless. */
  close(): Promise<void>;
}

/** `routes` are those beside /graphql; none of their handlers is called before the door is open. */
export function createDoor(
  options: Omit<HttpOptions, 'closeSockets'> & { routes: (http: FastifyInstance) => void },
): Door {
  const { service, routes } = options;
  let graphql: RouteHandlerMethod | undefined;
  let sockets: { close(): Promise<void> } | undefined;
  let closed: Promise<void> | undefined;
  const http = createHttpServer({ ...options, closeSockets: async () => sockets?.close() });
  serveMetrics(http);
  void http.register(async (inner) => {
    inner.addHook('onRequest', async (_request, reply) => {
      if (graphql) return;
      const starting = problem('SERVICE_UNAVAILABLE', `The ${service} service is starting; try again.`, {
        service,
      });
      await reply.code(503).send({ errors: [starting] });
    });
    inner.route({
      method: ['GET', 'POST'],
      url: '/graphql',
      handler(request, reply) {
        return graphql?.call(this, request, reply);
      },
    });
    routes(inner);
  });
  return {
    listen: (at) => listen(http, at),
    open(inside) {
      graphql = inside.graphql;
      sockets = inside.serveSockets(http.server);
    },
    close: () => (closed ??= http.close()),
  };
}
