import type { GraphQLError } from 'graphql';
import { problem } from '../../platform/errors.js';

/** No input of a real schema is nested so deep; far more, and whoever walks it runs out of stack. */
const deepest = 100;

/** The refusal of variables that are nested too deep to be passed on, or undefined. */
export function refuseNesting(variables: unknown): GraphQLError | undefined {
  if (!isDeeper(variables, deepest)) return undefined;
  return problem('BAD_USER_INPUT', `Variables are nested at most ${deepest} deep.`, { field: 'variables' });
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
