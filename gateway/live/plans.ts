import { operationFromDocument } from '@apollo/federation-internals';
import { buildOperationContext } from '@apollo/gateway';
import { type FetchNode, type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import {
  type DocumentNode,
  GraphQLError,
  getOperationAST,
  getVariableValues,
  NoSchemaIntrospectionCustomRule,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { problem } from '../../platform/errors.js';
import type { LoadedSupergraph } from '../supergraph.js';

type OperationContext = ReturnType<typeof buildOperationContext>;

const mostPlans = 1_000;
/** Characters of the documents that plans are kept for. */
const mostCharacters = 8_000_000;

/** No subgraph can be called so: where a plan fetches from it, the event of a subscription is the answer. */
export const eventSource = '<event>';

/** How a subscription is run: the operation of the subgraph that owns its field, and the plan that completes each event. */
export interface SubscriptionPlan {
  primary: FetchNode;
  eachEvent: QueryPlan;
  operationContext: OperationContext;
}

/** An operation that came over a socket. Queries and mutations have no plan here: Apollo Server makes theirs. */
interface PreparedOperation {
  document: DocumentNode;
  subscription: SubscriptionPlan | null;
}

export interface SubscriptionPlanner {
  /**
   * Parses an operation, and validates and plans it where it is a subscription; what was prepared is kept.
   * The errors carry GRAPHQL_PARSE_FAILED or GRAPHQL_VALIDATION_FAILED.
   */
  prepare(query: string, operationName?: string | null): PreparedOperation | readonly GraphQLError[];
  /** The errors of a subscription's variables, with BAD_USER_INPUT. */
  variableErrors(plan: SubscriptionPlan, variables: Record<string, unknown>): readonly GraphQLError[];
}

export function createSubscriptionPlanner(
  graph: LoadedSupergraph,
  introspection: boolean,
): SubscriptionPlanner {
  const planner = new QueryPlanner(graph.supergraph);
  const rules = introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  const kept = new LRUCache<string, PreparedOperation>({
    max: mostPlans,
    maxSize: mostCharacters,
    sizeCalculation: (_operation, key) => key.length,
  });

  function prepare(
    query: string,
    operationName?: string | null,
  ): PreparedOperation | readonly GraphQLError[] {
    const document = parse(query);
    const operation = getOperationAST(document, operationName);
    if (!operation)
      return [problem('GRAPHQL_VALIDATION_FAILED', 'Say by operationName which of the operations is meant.')];
    if (operation.operation !== OperationTypeNode.SUBSCRIPTION) return { document, subscription: null };
    const errors = validationErrors(document);
    return errors.length > 0 ? errors : { document, subscription: plan(document, operation.name?.value) };
  }

  function validationErrors(document: DocumentNode): readonly GraphQLError[] {
    try {
      return validate(graph.clientSchema, document, rules).map((error) =>
        withCode(error, 'GRAPHQL_VALIDATION_FAILED', introspection),
      );
    } catch (error) {
      // graphql 16 itself fails on a root field whose @skip or @include depends on a variable.
      if (error instanceof GraphQLError) return [withCode(error, 'GRAPHQL_VALIDATION_FAILED', introspection)];
      throw error;
    }
  }

  function plan(document: DocumentNode, operationName: string | undefined): SubscriptionPlan {
    const options = operationName === undefined ? {} : { operationName };
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

  return {
    prepare(query, operationName) {
      const key = `${operationName ?? ''}\n${query}`;
      const known = kept.get(key);
      if (known) return known;
      try {
        const prepared = prepare(query, operationName);
        if ('document' in prepared) kept.set(key, prepared);
        return prepared;
      } catch (error) {
        return [refusal(error)];
      }
    },
    variableErrors({ operationContext }, variables) {
      const definitions = operationContext.operation.variableDefinitions ?? [];
      const { errors } = getVariableValues(graph.clientSchema, definitions, variables);
      return (errors ?? []).map((error) => withCode(error, 'BAD_USER_INPUT', introspection));
    },
  };
}

/** What parsing or planning threw. A bug in there costs its operation only, where a throw would cost the socket. */
function refusal(error: unknown): GraphQLError {
  if (!(error instanceof GraphQLError))
    return new GraphQLError('planning failed', { originalError: asError(error) });
  return error.extensions['code'] === undefined ? withCode(error, 'GRAPHQL_PARSE_FAILED', true) : error;
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** The error with its code; the names that it suggests tell of the schema, so they go where introspection is off. */
function withCode(
  error: GraphQLError,
  code: 'GRAPHQL_PARSE_FAILED' | 'GRAPHQL_VALIDATION_FAILED' | 'BAD_USER_INPUT',
  suggest: boolean,
): GraphQLError {
  const message = suggest ? error.message : error.message.replace(/ ?Did you mean(.+?)\?$/, '');
  return new GraphQLError(message, {
    nodes: error.nodes ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
    extensions: { ...error.extensions, code },
  });
}
