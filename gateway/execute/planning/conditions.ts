import {
  type DirectiveNode,
  type DocumentNode,
  type GraphQLSchema,
  type InlineFragmentNode,
  Kind,
  print,
  type SelectionNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { fragmentOf, setOf, within } from './members.js';
import { isCondition } from './plannable.js';
import type { Veils } from './veils.js';

/**
 * A document in which conditional parts of fragments on types are fragments on those types themselves, where a subgraph has
 * the interface around them as an object: for a part within, the planner goes to that subgraph and back.
 */
export function withConditionsOnTypes(
  document: DocumentNode,
  schema: GraphQLSchema,
  { interfaces }: Pick<Veils, 'interfaces'>,
): DocumentNode {
  if (interfaces.size === 0) return document;
  const types = new TypeInfo(schema);
  const leave = (set: SelectionSetNode): SelectionSetNode | undefined =>
    interfaces.has(types.getParentType()?.name ?? '') ? setOf(set.selections.flatMap(onType)) : undefined;
  return visit(document, visitWithTypeInfo(types, { SelectionSet: { leave } }));
}

function onType(selection: SelectionNode): readonly SelectionNode[] {
  if (selection.kind !== Kind.INLINE_FRAGMENT || !selection.typeCondition) return [selection];
  const { selections } = selection.selectionSet;
  const others = selections.filter((one) => !isPart(one));
  return [
    ...(others.length > 0 ? [{ ...selection, selectionSet: setOf(others) }] : []),
    ...selections
      .filter(isPart)
      .flatMap(({ directives = [], selectionSet }) =>
        conditioned(onType({ ...selection, selectionSet }), directives),
      ),
  ];
}

/** Whether a selection is a fragment without a type of its own. */
const isPart = (selection: SelectionNode): selection is InlineFragmentNode =>
  selection.kind === Kind.INLINE_FRAGMENT && !selection.typeCondition;

/**
 * A document in which fields that a subgraph makes out of others' for all objects of an interface have the conditions of
 * the fragments around them, which have no type: in a fragment with a condition the planner cannot plan some of them.
 */
export function withConditionsOnFields(
  document: DocumentNode,
  schema: GraphQLSchema,
  { interfaces }: Pick<Veils, 'interfaces'>,
): DocumentNode {
  const types = new TypeInfo(schema);
  const leave = (set: SelectionSetNode): SelectionSetNode | undefined => {
    const made = interfaces.get(types.getParentType()?.name ?? '');
    return made && setOf(onFields(set.selections, made));
  };
  return visit(document, visitWithTypeInfo(types, { SelectionSet: { leave } }));
}

const onFields = (
  selections: readonly SelectionNode[],
  made: { has(name: string): boolean },
): SelectionNode[] =>
  selections.flatMap((selection) => {
    if (!isPart(selection)) return [selection];
    const { directives = [], selectionSet } = selection;
    const inner = onFields(selectionSet.selections, made);
    const isMade = (one: SelectionNode): boolean => one.kind === Kind.FIELD && made.has(one.name.value);
    return [
      ...conditioned(inner.filter(isMade), directives),
      ...within(
        undefined,
        directives,
        inner.filter((one) => !isMade(one)),
      ),
    ];
  });

/**
 * Selections with more directives: conditions on the selections themselves, as far as each may stand there once, and
 * others in a fragment around all in a row that have the same.
 */
function conditioned(
  selections: readonly SelectionNode[],
  more: readonly DirectiveNode[],
): readonly SelectionNode[] {
  if (more.length === 0) return selections;
  const texts = new Map(more.map((one) => [one, print(one)]));
  const rows: { around: readonly DirectiveNode[]; selections: SelectionNode[] }[] = [];
  for (const selection of selections) {
    const own = selection.directives ?? [];
    const added = more.filter((one) => !own.some((other) => print(other) === texts.get(one)));
    const around = added.filter(
      (one) => !isCondition(one) || own.some(({ name }) => name.value === one.name.value),
    );
    const inner = { ...selection, directives: [...own, ...added.filter((one) => !around.includes(one))] };
    const row = rows.at(-1);
    if (row && row.around.length === around.length && row.around.every((one, at) => one === around[at]))
      row.selections.push(inner);
    else rows.push({ around, selections: [inner] });
  }
  return rows.flatMap((row) =>
    row.around.length > 0 ? fragmentOf(undefined, row.around, row.selections) : row.selections,
  );
}
