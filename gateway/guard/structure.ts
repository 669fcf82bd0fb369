import { type GraphQLError, Kind, type SelectionSetNode } from 'graphql';
import { problem } from '../../platform/errors.js';
import { deepest } from '../execute/depth.js';
import type { Fragments, OperationParts } from '../execute/selections.js';

/** What an operation may be made of; 0 is no limit. */
export interface StructureLimits {
  depth: number;
  aliases: number;
  rootFields: number;
  directives: number;
}

/** Whether a fragment is inside itself: such a document is not valid, and has no end. */
export function isCircular(fragments: Fragments): boolean {
  const done = new Set<string>();
  const open = new Set<string>();

  const within = ({ selections }: SelectionSetNode): boolean =>
    selections.some((node) => {
      if (node.kind === Kind.FRAGMENT_SPREAD) return isOpen(node.name.value);
      return node.selectionSet !== undefined && within(node.selectionSet);
    });

  function isOpen(name: string): boolean {
    if (open.has(name)) return true;
    const fragment = fragments.get(name);
    if (!fragment || done.has(name)) return false;
    open.add(name);
    if (within(fragment.selectionSet)) return true;
    open.delete(name);
    done.add(name);
    return false;
  }
  return [...fragments.keys()].some(isOpen);
}

/** An answer has an alias as often as its object: a long one makes a short list into gigabytes. */
const longestAlias = 200;

interface Structure {
  depth: number;
  /** Of selections within each other, fragments among them. */
  levels: number;
  aliases: number;
  /** Characters of the longest. */
  aliasLength: number;
  directives: number;
}

const nothing: Structure = { depth: 0, levels: 0, aliases: 0, aliasLength: 0, directives: 0 };

/**
 * The refusal of an operation that is too deep, or has too many or too long aliases, root fields or directives: those of a fragment
 * count wherever it is used. The document need not be valid. What is nested so deep that the planner runs out of stack is
 * refused whatever the limits.
 */
export function refuseStructure(parts: OperationParts, limits: StructureLimits): GraphQLError | undefined {
  const { operation, fragments } = parts;
  const known = new Map<string, Structure>();
  const rootsOfFragments = new Map<string, number>();

  function structureOf({ selections }: SelectionSetNode): Structure {
    const sum = { ...nothing };
    for (const node of selections) {
      sum.directives += node.directives?.length ?? 0;
      const inner =
        node.kind === Kind.FRAGMENT_SPREAD
          ? structureOfFragment(node.name.value)
          : node.selectionSet
            ? structureOf(node.selectionSet)
            : nothing;
      sum.depth = Math.max(sum.depth, inner.depth + (node.kind === Kind.FIELD ? 1 : 0));
      sum.levels = Math.max(sum.levels, inner.levels + 1);
      const alias = node.kind === Kind.FIELD ? node.alias : undefined;
      sum.aliases += inner.aliases + (alias ? 1 : 0);
      sum.aliasLength = Math.max(sum.aliasLength, inner.aliasLength, alias?.value.length ?? 0);
      sum.directives += inner.directives;
    }
    return sum;
  }

  function structureOfFragment(name: string): Structure {
    const before = known.get(name);
    if (before) return before;
    // One that is inside itself is refused as invalid.
    known.set(name, nothing);
    const fragment = fragments.get(name);
    const structure = fragment ? structureOf(fragment.selectionSet) : nothing;
    known.set(name, structure);
    return structure;
  }

  function rootFields({ selections }: SelectionSetNode): number {
    return selections.reduce((count, node) => {
      if (node.kind === Kind.FIELD) return count + 1;
      if (node.kind === Kind.INLINE_FRAGMENT) return count + rootFields(node.selectionSet);
      return count + rootFieldsOfFragment(node.name.value);
    }, 0);
  }

  function rootFieldsOfFragment(name: string): number {
    const before = rootsOfFragments.get(name);
    if (before !== undefined) return before;
    rootsOfFragments.set(name, 0);
    const fragment = fragments.get(name);
    const count = fragment ? rootFields(fragment.selectionSet) : 0;
    rootsOfFragments.set(name, count);
    return count;
  }

  const { depth, levels, aliases, aliasLength, directives } = structureOf(operation.selectionSet);
  const found: [what: string, size: number, most: number][] = [
    ['levels of fields', depth, limits.depth],
    ['levels of selections', levels, deepest],
    ['aliases', aliases, limits.aliases],
    ['characters in an alias', aliasLength, limits.aliases && longestAlias],
    ['fields at its root', rootFields(operation.selectionSet), limits.rootFields],
    ['directives', directives, limits.directives],
  ];
  const [tooMuch] = found.filter(([, size, most]) => most > 0 && size > most);
  if (!tooMuch) return undefined;
  const [what, size, most] = tooMuch;
  return problem('QUERY_TOO_COMPLEX', `An operation has at most ${most} ${what}; this one has ${size}.`);
}
