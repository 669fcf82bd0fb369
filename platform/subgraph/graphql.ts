import type { RouteHandlerMethod } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Principal } from '../auth/principal.js';
import type { TokenVerifier } from '../auth/tokens.js';
import type { Executor } from '../config.js';
import { createDocuments } from '../graphql/documents.js';
import { errorFormatter } from '../graphql/errors.js';
import type { Log } from '../log.js';
import { compiledHandler } from './compiled.js';
import type { ClientAddress, RequestContext } from './define.js';

export interface GraphQLHandler {
  handler: RouteHandlerMethod;
  stop(): Promise<void>;
}

/**
 * Answers a subgraph's GraphQL over HTTP, by the executor that is chosen: GET for queries, POST for all, one
 * operation a request, `application/json` or `application/graphql-response+json`. A wrong token is refused with 401.
 */
export async function startGraphQL(options: {
  executor: Executor;
  service: string;
  schema: GraphQLSchema;
  verifier: TokenVerifier;
  /** Called for each request. */
  context: (principal: Principal | null, clientAddress: ClientAddress) => RequestContext;
  log: Log;
}): Promise<GraphQLHandler> {
  const { executor, service, schema, log } = options;
  const format = errorFormatter(service, log);
  // A fifth of what a service would load: only where it is used.
  if (executor === 'apollo') return (await import('./apollo.js')).startApollo({ ...options, format });
  const documents = createDocuments({ service, schema });
  return { handler: compiledHandler({ ...options, documents, format }), stop: async () => {} };
}
