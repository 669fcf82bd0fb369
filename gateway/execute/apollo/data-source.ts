import type { GraphQLDataSource } from '@apollo/gateway';
import type { GatewayContext } from '../../context.js';
import type { SubgraphSource } from '../source.js';

/** Lets ApolloGateway fetch the way everybody here does. */
export function dataSource(source: SubgraphSource): GraphQLDataSource<GatewayContext> {
  return {
    process({ request: { query = '', variables = {}, operationName }, context: given }) {
      const { representations } = variables;
      const context = given as GatewayContext;
      // ApolloGateway makes the spans itself.
      const tracing = context.tracing?.quiet();
      return source.fetch(
        {
          body: JSON.stringify({ query, variables, operationName }),
          isQuery: isQuery(query),
          entities: Array.isArray(representations) ? representations.length : undefined,
        },
        tracing ? { ...context, tracing } : context,
      );
    },
  };
}

/**
 * Whether the one operation of a fetch is a query, which can be repeated. The planner prints it first; nothing
 * but its text tells a data source what it is, since one of a mutation's plan may be either.
 */
export const isQuery = (text: string): boolean => /^(query\b|\{)/.test(text);
