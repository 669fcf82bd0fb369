import { ApolloServer, type ApolloServerPlugin, type BaseContext } from '@apollo/server';
import {
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { RouteHandlerMethod } from 'fastify';
import { type GraphQLSchema, OperationTypeNode } from 'graphql';
import type { Principal } from '../auth/principal.js';
import type { TokenVerifier } from '../auth/tokens.js';
import { parseOptions } from '../graphql/operation.js';
import type { Log } from '../log.js';
import type { FormatError } from './answer.js';
import { clientAddress } from './client-address.js';
import type { ClientAddress } from './define.js';
import { subscriptionsElsewhere } from './request.js';

/**
 * Apollo Server, as everybody has it: the stock way, which the compiled one is compared with. It puts wrappers
 * around the resolvers of the schema that it is given.
 */
export async function startApollo(options: {
  schema: GraphQLSchema;
  verifier: TokenVerifier;
  context: (principal: Principal | null, clientAddress: ClientAddress) => BaseContext;
  format: FormatError;
  log: Log;
}): Promise<{ handler: RouteHandlerMethod; stop(): Promise<void> }> {
  const { schema, verifier, context, format, log } = options;
  const apollo = new ApolloServer<BaseContext>({
    schema,
    formatError: format,
    parseOptions,
    includeStacktraceInErrorResponses: false,
    introspection: true,
    // The gateway sends whole documents, and a cache of texts by a client's hash is one more thing to fill.
    persistedQueries: false,
    stopOnTerminationSignals: false,
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      refusesSubscriptions,
    ],
    logger: log,
  });
  await apollo.start();
  return {
    handler: fastifyApolloHandler(apollo, {
      context: async (request) =>
        context(await verifier.verify(request.headers.authorization), () => clientAddress(request)),
    }),
    stop: () => apollo.stop(),
  };
}

/** Apollo Server would execute them as if they were queries. */
const refusesSubscriptions: ApolloServerPlugin = {
  requestDidStart: async () => ({
    async didResolveOperation({ operation }) {
      if (operation?.operation === OperationTypeNode.SUBSCRIPTION) throw subscriptionsElsewhere();
    },
  }),
};
