import type { GraphQLFormattedError } from 'graphql';
import type { Missing } from './completion.js';
import type { Entity } from './entity.js';
import type { Run } from './fetch.js';

/** Whether something may be missing that nobody has given a reason for. A fetch that failed is a reason for all that comes after it. */
export const mayLackReasons = ({ errors, context }: Run): boolean =>
  !context.cancellation?.isCancelled && errors.every(({ path }) => path !== undefined);

/**
 * Of what is missing, that of which no error tells: none at its place, nor below it, where it was nothing to a
 * subgraph for what it lacked itself, nor above. An entity that a subgraph does not know is missing for no reason,
 * and that is no fault.
 */
export function unexplained(
  missing: readonly Missing[],
  errors: readonly GraphQLFormattedError[],
  untold: ReadonlySet<Entity>,
): Missing[] {
  const at = new Set<string>();
  const through = new Set<string>();
  for (const { path = [] } of errors) {
    at.add(JSON.stringify(path));
    for (const start of startsOf(path)) through.add(start);
  }
  return missing.filter(
    ({ path, within }) =>
      !(within && untold.has(within)) &&
      !through.has(JSON.stringify(path)) &&
      !startsOf(path).some((start) => at.has(start)),
  );
}

/** A path and all that it leads through, the root included. */
const startsOf = (path: readonly (string | number)[]): string[] =>
  Array.from({ length: path.length + 1 }, (_, end) => JSON.stringify(path.slice(0, end)));
