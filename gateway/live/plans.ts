import { operationFromDocument } from '@apollo/federation-internals';
import { buildOperationContext } from '@apollo/gateway';
import { type FetchNode, type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import { GraphQLError, OperationTypeNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import { problem } from '../../platform/errors.js';
import { type ReadOperation, readOperation } from '../../platform/graphql/operation.js';
import type { LoadedSupergraph } from '../supergraph.js';

/** The most plans that are kept, and the most characters of their documents. */
const mostPlans = 1_000;
const mostCharacters = 8_000_000;

/** No subgraph can be called so: where a plan fetches from it, the event of a subscription is the answer. */
export const eventSource = '<event>';

/** How a subscription is run: the operation of the subgraph that owns its field, and the plan that completes each event. */
export interface SubscriptionPlan {
  primary: FetchNode;
  eachEvent: QueryPlan;
  operationContext: ReturnType<typeof buildOperationContext>;
}

/** An operation that came over a socket. Queries and mutations have no plan here: Apollo Server makes theirs. */
export interface PreparedOperation extends ReadOperation {
  plan: SubscriptionPlan | null;
}

/** Reads, validates and plans an operation, or answers its errors with their codes; what was prepared is kept. */
export type SubscriptionPlanner = (request: {
  query: string;
  operationName?: string | null | undefined;
}) => PreparedOperation | readonly GraphQLError[];

export function createSubscriptionPlanner(
  graph: LoadedSupergraph,
  introspection: boolean,
): SubscriptionPlanner {
  const planner = new QueryPlanner(graph.supergraph);
  const kept = new LRUCache<string, PreparedOperation>({
    max: mostPlans,
    maxSize: mostCharacters,
    sizeCalculation: (_operation, key) => key.length,
  });

  function plan({ document, operation }: ReadOperation): SubscriptionPlan {
    const options = operation.name ? { operationName: operation.name.value } : {};
    const { node } = planner.buildQueryPlan(operationFromDocument(graph.apiSchema, document, options));
    if (node?.kind !== 'Subscription') {
      throw problem(
        'GRAPHQL_VALIDATION_FAILED',
        'A subscription selects one field, without @skip and @include.',
      );
    }
    const { primary, rest } = node;
    const event = { ...primary, serviceName: eventSource };
    return {
      primary,
      eachEvent: { kind: 'QueryPlan', node: rest ? { kind: 'Sequence', nodes: [event, rest] } : event },
      operationContext: buildOperationContext({
        schema: graph.clientSchema,
        operationDocument: document,
        ...options,
      }),
    };
  }

  return (request) => {
    const key = `${request.operationName ?? ''}\n${request.query}`;
    const known = kept.get(key);
    if (known) return known;
    const read = readOperation(graph.clientSchema, request, { introspection });
    if (!('operation' in read)) return read;
    try {
      const subscribes = read.operation.operation === OperationTypeNode.SUBSCRIPTION;
      const prepared = { ...read, plan: subscribes ? plan(read) : null };
      kept.set(key, prepared);
      return prepared;
    } catch (error) {
      // A bug in planning costs its operation only, where a throw would cost the socket.
      return [
        error instanceof GraphQLError
          ? error
          : new GraphQLError('planning failed', { originalError: error as Error }),
      ];
    }
  };
}
