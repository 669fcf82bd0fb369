import type { GraphQLError } from 'graphql';
import { problem } from '../../platform/errors.js';
import { isDeeper } from '../execute/depth.js';

/** No input of a real schema is nested so deep; far more, and whoever walks it runs out of stack. */
export const deepest = 100;

/** The refusal of variables that are nested too deep to be passed on, or undefined. */
export function refuseNesting(variables: unknown): GraphQLError | undefined {
  if (!isDeeper(variables, deepest)) return undefined;
  return problem('BAD_USER_INPUT', `Variables are nested at most ${deepest} deep.`, { field: 'variables' });
}
