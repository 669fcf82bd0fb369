import { type GraphQLError, Kind, type OperationDefinitionNode, type SelectionSetNode } from 'graphql';
import { problem } from '../../platform/errors.js';
import type { Fragments } from '../execute/selections.js';

/** A person's query has some hundreds. Planning takes about half a millisecond for each. */
const mostSelections = 10_000;

/**
 * The refusal of an operation that is large once its fragments stand where they are used: a short text can double
 * itself many times over, and nobody else is served while it is planned.
 */
export function refuseExpansion(
  { selectionSet }: OperationDefinitionNode,
  fragments: Fragments,
): GraphQLError | undefined {
  const known = new Map<string, number>();

  function sizeOf({ selections }: SelectionSetNode): number {
    let size = 0;
    for (const node of selections) {
      // Whatever selects nothing by itself is walked all the same.
      size += 1;
      if (node.kind === Kind.FRAGMENT_SPREAD) size += sizeOfFragment(node.name.value);
      else if (node.selectionSet) size += sizeOf(node.selectionSet);
    }
    return size;
  }

  function sizeOfFragment(name: string): number {
    const before = known.get(name);
    if (before !== undefined) return before;
    const fragment = fragments.get(name);
    const size = fragment ? sizeOf(fragment.selectionSet) : 0;
    known.set(name, size);
    return size;
  }

  const size = sizeOf(selectionSet);
  if (size <= mostSelections) return undefined;
  return problem(
    'QUERY_TOO_COMPLEX',
    `An operation has at most ${mostSelections} selections, those of fragments counted wherever they are used.`,
  );
}
