import { type DocumentNode, type GraphQLError, Kind, visit } from 'graphql';
import { problem } from '../../platform/errors.js';
import { deepest } from './nesting.js';

/** The planner takes about a microsecond for so much each. */
const heaviest = 100_000;

const values: ReadonlySet<string> = new Set([
  ...[Kind.INT, Kind.FLOAT, Kind.STRING, Kind.BOOLEAN, Kind.NULL, Kind.ENUM, Kind.VARIABLE],
  ...[Kind.LIST, Kind.OBJECT],
]);

const nesting: ReadonlySet<string> = new Set([Kind.LIST, Kind.OBJECT, Kind.LIST_TYPE]);

/**
 * The refusal of a document whose values, or the types of its variables, are nested too deep, or would take the planner
 * too long: it looks for variables twice in each item of a list (`collectVariablesInValue` of
 * @apollo/federation-internals), so that each list around a value doubles its cost. Fifty brackets would take it years,
 * in which nobody else is served.
 */
export function refuseLiterals(document: DocumentNode): GraphQLError | undefined {
  let [depth, most, lists, weight] = [0, 0, 0, 0];
  visit(document, {
    enter({ kind }) {
      if (nesting.has(kind)) most = Math.max(most, ++depth);
      if (!values.has(kind)) return;
      weight += 2 ** lists;
      if (kind === Kind.LIST) lists += 1;
    },
    leave({ kind }) {
      if (kind === Kind.LIST) lists -= 1;
      if (nesting.has(kind)) depth -= 1;
    },
  });
  if (most <= deepest && weight <= heaviest) return undefined;
  return problem(
    'QUERY_TOO_COMPLEX',
    `A document's values are nested at most ${deepest} deep, and hold few lists of lists: send them as variables.`,
  );
}
