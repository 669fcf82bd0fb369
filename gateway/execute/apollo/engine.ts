import { buildOperationContext, executeQueryPlan, type GraphQLDataSource } from '@apollo/gateway';
import { type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import { HeaderMap } from '@apollo/server';
import type { GraphQLFormattedError } from 'graphql';
import { withoutProtection } from '../../../platform/graphql/protecting.js';
import type { Log } from '../../../platform/log.js';
import type { LoadedSupergraph } from '../../supergraph.js';
import type { Engine, Event, LiveOperation, Outcome } from '../engine.js';
import type { Entity } from '../entity.js';
import type { CompiledOperation } from '../operation.js';
import { createOperations } from '../operations.js';
import type { SubgraphSource } from '../source.js';
import { dataSource } from './data-source.js';
import { startApollo } from './server.js';
import { withoutValueCompletion } from './value-completion.js';

/** No subgraph can be called so: where a plan fetches from it, the event of a subscription is the answer. */
const eventSource = '<event>';

/** The stock engine: Apollo Server in front of ApolloGateway, which other engines are compared with. */
export async function startApolloEngine(options: {
  graph: LoadedSupergraph;
  sources: ReadonlyMap<string, SubgraphSource>;
  introspection: boolean;
  log: Log;
}): Promise<Engine> {
  const { graph, sources, introspection, log } = options;
  const dataSources = new Map([...sources].map(([name, source]) => [name, dataSource(source)]));
  const server = await startApollo({
    supergraph: withoutProtection(graph.sdl),
    dataSources,
    introspection,
    log,
  });
  const planner = new QueryPlanner(graph.supergraph);
  const { find, forget } = createOperations({ graph, planner, sources, introspection, keepsNames: true });

  /** ApolloGateway has no subscriptions, but its executor completes their events, as a plan that begins with one. */
  function live(operation: CompiledOperation): LiveOperation | null {
    const { primary, plan, document } = operation;
    if (!primary || plan.node?.kind !== 'Subscription') return null;
    const { rest } = plan.node;
    const first = { ...primary, serviceName: eventSource };
    const eachEvent: QueryPlan = {
      kind: 'QueryPlan',
      node: rest ? { kind: 'Sequence', nodes: [first, rest] } : first,
    };
    const operationContext = buildOperationContext({
      schema: graph.clientSchema,
      operationDocument: document,
    });
    return {
      primary,
      async complete(event: Event, variables, context) {
        const fromEvent: GraphQLDataSource = {
          process: async () => ({
            data: event.data,
            ...(event.errors.length > 0 && { errors: [...event.errors] }),
          }),
        };
        // The executor reads no more of a request than this.
        const request = { request: { variables }, context, metrics: {}, logger: log };
        const result = await executeQueryPlan(
          eachEvent,
          { ...Object.fromEntries(dataSources), [eventSource]: fromEvent },
          request as unknown as Parameters<typeof executeQueryPlan>[2],
          operationContext,
          graph.supergraphSchema,
          graph.apiSchema,
        );
        const { data = null, errors } = withoutValueCompletion(result, log) as {
          data?: Entity | null;
          errors?: readonly GraphQLFormattedError[];
        };
        return errors ? { data, errors } : { data };
      },
    };
  }

  return {
    async execute({ query, operationName, variables, method }, context): Promise<Outcome> {
      const { body, http } = await server.executeOperation(
        {
          query,
          variables: { ...variables },
          ...(operationName && { operationName }),
          http: { method, headers: new HeaderMap(), search: '', body: undefined },
        },
        {
          contextValue: {
            ...context,
            tell(operation) {
              context.operation = operation;
            },
          },
        },
      );
      // ApolloGateway has no @defer: an answer comes whole.
      const { data, errors } = body.kind === 'single' ? body.singleResult : body.initialResult;
      return {
        status: http.status ?? (data === undefined ? 400 : 200),
        ...(data !== undefined && { data: data as Entity | null }),
        ...(errors && { errors }),
      };
    },
    read(request) {
      const operation = find(request);
      return 'execute' in operation ? { ...operation, live: live(operation) } : operation;
    },
    forget,
    close: () => server.stop(),
  };
}
