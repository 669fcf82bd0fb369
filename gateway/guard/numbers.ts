import { BREAK, type DocumentNode, type GraphQLError, Kind, visit } from 'graphql';
import { problem } from '../../platform/errors.js';
import { holdsInfinity, infiniteMessage, infiniteVariables } from '../../platform/infinite.js';

/**
 * The refusal of a document with a number that is infinite once it is read: the planner cannot write it, which would be
 * a fault of ours. A custom scalar takes any number, and so does Float.
 */
export function refuseNumbersOf(document: DocumentNode): GraphQLError | undefined {
  let isHeld = true;
  visit(document, {
    enter(node) {
      if (node.kind !== Kind.FLOAT && node.kind !== Kind.INT) return undefined;
      isHeld = Number.isFinite(Number(node.value));
      return isHeld ? undefined : BREAK;
    },
  });
  return isHeld ? undefined : problem('GRAPHQL_VALIDATION_FAILED', infiniteMessage);
}

/** The same of variables, which are not nested too deep. */
export const refuseNumbers = (variables: unknown): GraphQLError | undefined =>
  holdsInfinity(variables) ? infiniteVariables() : undefined;
