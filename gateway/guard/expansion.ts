import {
  type ASTNode,
  type GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { problem } from '../../platform/errors.js';
import type { Fragments } from '../execute/selections.js';

/** A person's query has some hundreds. Planning takes about half a millisecond for each. */
export const mostSelections = 10_000;
/** As long as a request over HTTP may be; what is written out is printed and parsed again. */
const mostCharacters = 1024 * 1024;

interface Size {
  selections: number;
  characters: number;
}

const nothing: Size = { selections: 0, characters: 0 };
const sum = (a: Size, b: Size): Size => ({
  selections: a.selections + b.selections,
  characters: a.characters + b.characters,
});
const lengthOf = (node: ASTNode | undefined): number => (node?.loc ? node.loc.end - node.loc.start : 0);

/**
 * The refusal of an operation that is large once its fragments stand where they are used: a short text can double
 * itself many times over, and nobody else is served while it is planned. So can a long argument that a fragment has,
 * with few selections. What is long as it was sent may be so.
 */
export function refuseExpansion(
  { selectionSet, loc }: OperationDefinitionNode,
  fragments: Fragments,
): GraphQLError | undefined {
  const known = new Map<string, Size>();

  function sizeOf({ selections }: SelectionSetNode): Size {
    let size = nothing;
    for (const node of selections) {
      const inner = node.kind === Kind.FRAGMENT_SPREAD ? undefined : node.selectionSet;
      // Whatever selects nothing by itself is walked all the same.
      size = sum(size, { selections: 1, characters: lengthOf(node) - lengthOf(inner) });
      if (node.kind === Kind.FRAGMENT_SPREAD) size = sum(size, sizeOfFragment(node.name.value));
      else if (inner) size = sum(size, sizeOf(inner));
    }
    return size;
  }

  function sizeOfFragment(name: string): Size {
    const before = known.get(name);
    if (before) return before;
    const fragment = fragments.get(name);
    const size = fragment ? sizeOf(fragment.selectionSet) : nothing;
    known.set(name, size);
    return size;
  }

  const { selections, characters } = sizeOf(selectionSet);
  const found: [what: string, size: number, most: number][] = [
    ['selections', selections, mostSelections],
    ['characters', characters, Math.max(mostCharacters, loc?.source.body.length ?? 0)],
  ];
  const [tooMuch] = found.filter(([, size, most]) => size > most);
  if (!tooMuch) return undefined;
  const [what, , most] = tooMuch;
  return problem(
    'QUERY_TOO_COMPLEX',
    `An operation has at most ${most} ${what}, those of fragments counted wherever they are used.`,
  );
}
