import { type DocumentNode, Kind, type SelectionNode, type SelectionSetNode } from 'graphql';
import { conditionsOf, fragmentsOf } from '../selections.js';
import { fragmentOf, setOf } from './members.js';
import { nothing } from './plannable.js';

/** What variables are where something stands. */
type Values = ReadonlyMap<string, boolean>;

/**
 * A document without what its conditions never let be there: what stands below both `@skip(if: $v)` and
 * `@include(if: $v)`. The planner has what that requires fetched where one of them holds, beside what others require with
 * other arguments, and no subgraph takes both. A fragment is written out where a part of it can never be there.
 */
export function withoutContradictions(document: DocumentNode): DocumentNode {
  const fragments = fragmentsOf(document);

  /** What of selections may be there; themselves where all of it may. */
  function possible(set: SelectionSetNode, values: Values): SelectionSetNode {
    const left = set.selections.flatMap((selection) => possibleOf(selection, values) ?? []);
    const isWhole =
      left.length === set.selections.length && left.every((one, at) => one === set.selections[at]);
    return isWhole ? set : setOf(left);
  }

  function possibleOf(selection: SelectionNode, values: Values): SelectionNode | undefined {
    const known = valuesBelow(selection, values);
    const body = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
    if (!known || !body?.selectionSet) return known && selection;
    const set = possible(body.selectionSet, known);
    if (set === body.selectionSet) return selection;
    if (body.kind === Kind.FIELD) return { ...body, selectionSet: filled(set) };
    return set.selections.length === 0
      ? undefined
      : fragmentOf(body.typeCondition?.name.value, selection.directives ?? [], set.selections);
  }

  return {
    ...document,
    definitions: document.definitions.map((one) =>
      one.kind === Kind.OPERATION_DEFINITION
        ? { ...one, selectionSet: filled(possible(one.selectionSet, new Map())) }
        : one,
    ),
  };
}

const filled = (set: SelectionSetNode): SelectionSetNode => (set.selections.length === 0 ? nothing : set);

/** What variables are below a selection; undefined where it can never be there. */
function valuesBelow(selection: SelectionNode, values: Values): Values | undefined {
  const conditions = conditionsOf(selection);
  if (conditions.length === 0) return values;
  const below = new Map(values);
  for (const { isInclude, value } of conditions) {
    if (value.kind !== Kind.VARIABLE) continue;
    const { value: name } = value.name;
    if (below.get(name) === !isInclude) return undefined;
    below.set(name, isInclude);
  }
  return below;
}
