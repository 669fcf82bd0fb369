import { ApolloGateway, type GraphQLDataSource } from '@apollo/gateway';
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { problem } from '../../../platform/errors.js';
import { errorFormatter } from '../../../platform/graphql/errors.js';
import { parseOptions } from '../../../platform/graphql/operation.js';
import type { Log } from '../../../platform/log.js';
import type { GatewayContext } from '../../context.js';
import { subscriptionsElsewhere } from '../refusals.js';
import { withoutValueCompletion } from './value-completion.js';

/** Apollo Server has a copy of a context for each request: what is put there is seen by nobody else. */
interface ApolloContext extends GatewayContext {
  tell(operation: GatewayContext['operation'] & object): void;
}

/** An Apollo Server in front of an ApolloGateway, started; `stop` of the server stops both. */
export async function startApollo(options: {
  supergraph: string;
  dataSources: ReadonlyMap<string, GraphQLDataSource<GatewayContext>>;
  introspection: boolean;
  log: Log;
}): Promise<ApolloServer<ApolloContext>> {
  const { log, introspection } = options;
  const logger = apolloLogger(log);
  // Without this the constructor of ApolloGateway starts to report to Apollo; there is no option for it.
  process.env['APOLLO_TELEMETRY_DISABLED'] = 'true';
  const gateway = new ApolloGateway({
    supergraphSdl: options.supergraph,
    logger,
    // A header would otherwise show the plan, and with it the inside of the house, to anybody.
    __exposeQueryPlanExperimental: false,
    buildService: ({ name }) => {
      const source = options.dataSources.get(name);
      if (!source) throw new Error(`the subgraph '${name}' has no data source`);
      return source;
    },
  });
  const server = new ApolloServer<ApolloContext>({
    gateway,
    logger,
    introspection,
    parseOptions,
    cache: 'bounded',
    // Both are looked after before an operation comes here.
    csrfPrevention: false,
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    // Apollo's own hideSchemaDetailsFromClientErrors takes quadratic time in what a client sends.
    formatError: errorFormatter('gateway', log, { suggestions: introspection }),
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginCacheControlDisabled(),
      beforeExecution,
      hideValueCompletion(log),
    ],
  });
  await server.start();
  return server;
}

/**
 * What ApolloGateway would answer with an internal error is refused: no operation that it could tell, and
 * subscriptions. A mutation is finished whoever goes away, what it reads included.
 */
const beforeExecution: ApolloServerPlugin<ApolloContext> = {
  async requestDidStart() {
    const refuse = (message: string) =>
      problem('GRAPHQL_VALIDATION_FAILED', message, { http: { status: 400 } });
    return {
      async didResolveOperation({ operation, operationName, contextValue }) {
        if (!operation) throw refuse('The document has no such operation; say which by operationName.');
        contextValue.tell({ kind: operation.operation, name: operationName ?? undefined });
        if (operation.operation === 'mutation') contextValue.cancellation = undefined;
        if (operation.operation !== 'subscription') return;
        throw subscriptionsElsewhere();
      },
    };
  },
};

const hideValueCompletion = (log: Log): ApolloServerPlugin<ApolloContext> => ({
  async requestDidStart() {
    return {
      async willSendResponse({ response: { body } }) {
        if (body.kind === 'single') body.singleResult = withoutValueCompletion(body.singleResult, log);
      },
    };
  },
});

/** Apollo's own chatter ("successfully loaded schema") is for debugging here. */
function apolloLogger(log: Log) {
  const child = log.child({ service: 'gateway' });
  const debug = (message?: unknown) => child.debug(String(message));
  return {
    debug,
    info: debug,
    warn: (message?: unknown) => child.warn(String(message)),
    error: (message?: unknown) => child.error(String(message)),
  };
}
