import { BREAK, type DocumentNode, type GraphQLError, Kind, visit } from 'graphql';
import { problem } from '../../platform/errors.js';

const tooLarge = 'A number is at most 1.8e308, or as far below zero: what is more, nothing here can hold.';

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
  return isHeld ? undefined : problem('GRAPHQL_VALIDATION_FAILED', tooLarge);
}

/**
 * The same of variables, which are not nested too deep: on its way to a subgraph such a number would become null. Those
 * of a socket have been written anew before anybody looks at them, and are null.
 */
export const refuseNumbers = (variables: unknown): GraphQLError | undefined =>
  isHeld(variables) ? undefined : problem('BAD_USER_INPUT', tooLarge, { field: 'variables' });

const isHeld = (value: unknown): boolean => {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(isHeld);
};
