import { operationFromDocument } from '@apollo/federation-internals';
import type { QueryPlan, QueryPlanner } from '@apollo/query-planner';
import { type DocumentNode, GraphQLError } from 'graphql';
import { problem } from '../../../platform/errors.js';
import type { LoadedSupergraph } from '../../supergraph.js';
import { withConditionsOnFields, withConditionsOnTypes } from './conditions.js';
import { withoutContradictions } from './contradictions.js';
import { withMembersApart } from './members.js';
import { withConditionsApart, withoutIntrospection, withoutLeftOut } from './plannable.js';

/**
 * Apollo's plan of an operation, or why there is none. Where it cannot read the document as it is best planned (a
 * condition of a fragment of its own below an interface object, for one), that of the document with conditions elsewhere.
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
  const form = () =>
    withMembersApart(
      withoutContradictions(withoutLeftOut(withoutIntrospection(document))),
      clientSchema,
      needs.veils,
    );
  const ways = [
    () => withConditionsOnTypes(withConditionsApart(form(), needs), clientSchema, needs.veils),
    form,
    () => withConditionsOnFields(form(), clientSchema, needs.veils),
  ];
  let refusal: GraphQLError | undefined;
  for (const way of ways) {
    try {
      return build(way());
    } catch (error) {
      const { message = '' } = error as Partial<Error>;
      refusal ??= message.startsWith('Too many options') ? tooManyWays() : refusalBy(error);
      if (!message.startsWith('Cannot add selection')) break;
    }
  }
  return refusal ?? refusalBy(undefined);
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
