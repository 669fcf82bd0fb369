import { operationFromDocument } from '@apollo/federation-internals';
import type { QueryPlan, QueryPlanner } from '@apollo/query-planner';
import { type DocumentNode, GraphQLError } from 'graphql';
import { problem } from '../../../platform/errors.js';
import type { LoadedSupergraph } from '../../supergraph.js';
import { withMembersApart } from './members.js';
import { withConditionsApart, withoutIntrospection, withoutLeftOut } from './plannable.js';

/**
 * Apollo's plan of an operation, or why there is none. Where it cannot read the document as it is best planned (a
 * condition of a fragment of its own below an interface object, for one), that of the document as it is.
 */
export function planOf(
  planner: QueryPlanner,
  { apiSchema, clientSchema, needs }: LoadedSupergraph,
  document: DocumentNode,
  name: string | undefined,
): QueryPlan | GraphQLError {
  const build = (given: DocumentNode): QueryPlan =>
    planner.buildQueryPlan(
      operationFromDocument(apiSchema, given, name === undefined ? {} : { operationName: name }),
    );
  try {
    const form = withMembersApart(withoutLeftOut(withoutIntrospection(document)), clientSchema, needs.veils);
    try {
      return build(withConditionsApart(form, needs));
    } catch (error) {
      const { message = '' } = error as Partial<Error>;
      if (error instanceof GraphQLError && message.startsWith('Cannot add selection')) return build(form);
      throw message.startsWith('Too many options') ? tooManyWays() : error;
    }
  } catch (error) {
    return refusalBy(error);
  }
}

/** Why an operation cannot be run: a fault in planning costs its operation only, where a throw would cost a socket. */
export const refusalBy = (error: unknown): GraphQLError =>
  error instanceof GraphQLError
    ? error
    : new GraphQLError('planning failed', { originalError: error as Error });

const tooManyWays = (): GraphQLError =>
  problem(
    'QUERY_TOO_COMPLEX',
    'There are too many ways to fetch what stands that deep: ask for it in several operations, nearer to their roots.',
  );
