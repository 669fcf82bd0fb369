import type { FetchNode } from '@apollo/query-planner';
import { getOperationAST, parse, type SelectionSetNode } from 'graphql';
import { below } from './blame.js';
import type { ReadCondition } from './fetch.js';
import { type Condition, conditionsOf } from './selections.js';

/** Tells whether `@skip` and `@include` leave out all that a fetch asks of its entities. */
export type IsIdle = (variables: Readonly<Record<string, unknown>>) => boolean;

/**
 * What is left out is as if it were not there: nobody is asked for an entity of which nothing is wanted. The planner
 * sees to that only where all of a fetch has one condition. Undefined for a fetch that always asks for something.
 */
export function compileIdle(
  { operation, requires }: FetchNode,
  condition: ReadCondition,
): IsIdle | undefined {
  if (!requires || !operation.includes('@')) return undefined;
  const root = getOperationAST(parse(operation, { noLocation: true }))?.selectionSet;
  const fields = root ? below(root, '_entities').flatMap((set) => wayOf(set)) : [];
  if (fields.some((conditions) => conditions.length === 0)) return undefined;
  const holds = ({ isInclude, value }: Condition, variables: Readonly<Record<string, unknown>>): boolean =>
    isInclude ===
    (value.kind === 'Variable'
      ? condition(variables, value.name.value)
      : value.kind === 'BooleanValue' && value.value);
  return (variables) => fields.every((conditions) => !conditions.every((one) => holds(one, variables)));
}

/** The conditions on the way to each field of an object. */
const wayOf = ({ selections }: SelectionSetNode, around: readonly Condition[] = []): Condition[][] =>
  selections.flatMap((selection) => {
    const conditions = [...around, ...conditionsOf(selection)];
    return selection.kind === 'InlineFragment' ? wayOf(selection.selectionSet, conditions) : [conditions];
  });
