import type { FetchNode } from '@apollo/query-planner';
import { getOperationAST, parse, type SelectionSetNode } from 'graphql';
import { below } from './blame.js';
import type { ReadCondition } from './fetch.js';
import type { Types } from './representation.js';
import { type Condition, conditionsOf } from './selections.js';
import type { ObjectTest } from './types.js';

/** Tells whether `@skip` and `@include` leave out all that a fetch asks of its entities. */
export type IsIdle = (variables: Readonly<Record<string, unknown>>) => boolean;

/**
 * What is left out is as if it were not there: nobody is asked for an entity of which nothing is wanted. The planner
 * sees to that only where all of a fetch has one condition. Undefined for a fetch that always asks for something.
 */
export function compileIdle(
  { operation, requires }: FetchNode,
  { condition, types }: { condition: ReadCondition; types: Pick<Types, 'isObject'> },
): IsIdle | undefined {
  if (!requires || !operation.includes('@')) return undefined;
  const root = getOperationAST(parse(operation, { noLocation: true }))?.selectionSet;
  const fields = root ? below(root, '_entities').flatMap((set) => waysIn(set, types.isObject)) : [];
  if (fields.length === 0 || fields.some((conditions) => conditions.length === 0)) return undefined;
  const holds = ({ isInclude, value }: Condition, variables: Readonly<Record<string, unknown>>): boolean =>
    isInclude ===
    (value.kind === 'Variable'
      ? condition(variables, value.name.value)
      : value.kind === 'BooleanValue' && value.value);
  return (variables) => fields.every((conditions) => !conditions.every((one) => holds(one, variables)));
}

/** The conditions on the way to each field of an object, but for the name of a type that is told by asking. */
function waysIn(
  { selections }: SelectionSetNode,
  isObject: ObjectTest,
  around: readonly Condition[] = [],
  isKnown = false,
): Condition[][] {
  return selections.flatMap((selection) => {
    const conditions = [...around, ...conditionsOf(selection)];
    if (selection.kind !== 'InlineFragment') {
      const isType = selection.kind === 'Field' && selection.name.value === '__typename';
      return isType && isKnown ? [] : [conditions];
    }
    const type = selection.typeCondition?.name.value;
    const isInnerKnown = isKnown || (type !== undefined && isObject(type));
    return waysIn(selection.selectionSet, isObject, conditions, isInnerKnown);
  });
}
