import { type FieldNode, getOperationAST, Kind, parse, type SelectionSetNode } from 'graphql';
import { fragmentsOf } from '../../execute/selections.js';
import type { Question } from './duel.js';

/** A field that a question asks for, wherever it does. */
export interface Asked {
  /** Response names, without the places of lists. */
  path: readonly string[];
  node: FieldNode;
}

/** All that the text of a question asks for; fragments wherever they are used, and what conditions leave out as well. */
export function askedBy({ query }: Question): Asked[] {
  const document = parse(query);
  const fragments = fragmentsOf(document);
  function within(set: SelectionSetNode | undefined, path: readonly string[]): Asked[] {
    return (set?.selections ?? []).flatMap((node) => {
      if (node.kind !== Kind.FIELD) {
        const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
        return within(fragment?.selectionSet, path);
      }
      const own = [...path, (node.alias ?? node.name).value];
      return [{ path: own, node }, ...within(node.selectionSet, own)];
    });
  }
  return within(getOperationAST(document)?.selectionSet, []);
}
