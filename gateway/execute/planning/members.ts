import {
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  type InlineFragmentNode,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { problem } from '../../../platform/errors.js';
import { mostSelections } from '../../guard/expansion.js';
import { isCondition, isUncertain, nothing, typename } from './plannable.js';
import type { Veils } from './veils.js';

/**
 * A document that means the same, as Apollo's planner can plan it where a subgraph has an interface as an object:
 * - fragments within such an interface are on object types, one for each that both have, and have no others within;
 * - what a subgraph makes out of others' fields for all objects of the interface is asked of all, where objects may come
 *   from yet another that cannot tell their types. Else the planner builds a plan that waits for itself, for seconds and
 *   with a gigabyte, and fails.
 * It has no named fragments.
 * @throws GraphQLError where that is too large
 */
export function withMembersApart(document: DocumentNode, schema: GraphQLSchema, veils: Veils): DocumentNode {
  if (veils.interfaces.size === 0) return document;
  const fragments = new Map(
    document.definitions.flatMap((one) =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one] as const] : [],
    ),
  );
  return {
    ...document,
    definitions: document.definitions.flatMap((one) =>
      one.kind === Kind.OPERATION_DEFINITION ? operationApart(one, { schema, veils, fragments }) : [],
    ),
  };
}

interface Known {
  schema: GraphQLSchema;
  veils: Veils;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

function operationApart(
  operation: OperationDefinitionNode,
  { schema, veils, fragments }: Known,
): OperationDefinitionNode {
  let left = mostSelections;

  /** `blind` are the subgraphs that may have answered with the objects, and do not know their types. */
  function apart(
    { selections }: SelectionSetNode,
    type: GraphQLNamedType | undefined,
    blind: ReadonlySet<string>,
  ): SelectionNode[] {
    return selections.flatMap((selection): SelectionNode[] => {
      if (--left < 0) throw tooLarge();
      if (selection.kind === Kind.FIELD) {
        const { selectionSet } = selection;
        if (!selectionSet || !(isObjectType(type) || isInterfaceType(type))) return [selection];
        const name = selection.name.value;
        const field = type.getFields()[name];
        if (!field) return [selection];
        const wanted = getNamedType(field.type);
        const inner = apart(selectionSet, wanted, veils.blind.get(`${type.name}.${name}`) ?? nobody);
        if (isMade(name) && isObjectType(wanted) && isUncertain({ selectionSet: setOf(inner) }))
          inner.push(typename);
        return [{ ...selection, selectionSet: inner.length > 0 ? setOf(inner) : nothing }];
      }
      const { directives = [] } = selection;
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      if (!fragment) return [];
      const wanted = fragment.typeCondition ? schema.getType(fragment.typeCondition.name.value) : type;
      return targetsOf(type, wanted).flatMap((target) => {
        const inner = apart(fragment.selectionSet, target, blind);
        if (target === type) return within(undefined, directives, inner);
        // An object of two such interfaces is one of those where it comes from: of the other nothing can be asked there.
        const veil = type && veils.interfaces.has(type.name) ? type.name : veilOf(target);
        const isForAll = (name: string): boolean => {
          const graph = veil && veils.interfaces.get(veil)?.get(name);
          return graph !== undefined && [...blind].some((one) => one !== graph);
        };
        return [
          ...within(veil === type?.name ? undefined : veil, directives, filtered(inner, isForAll)),
          ...within(
            target.name,
            directives,
            filtered(inner, (name) => !isForAll(name)),
          ),
        ];
      });
    });
  }

  const isMade = (name: string): boolean => [...veils.interfaces.values()].some((fields) => fields.has(name));

  const veilOf = (type: GraphQLCompositeType): string | undefined =>
    isObjectType(type)
      ? type.getInterfaces().find(({ name }) => veils.interfaces.has(name))?.name
      : undefined;

  /** The types of which a fragment on `wanted` within `type` is. */
  function targetsOf(
    type: GraphQLNamedType | undefined,
    wanted: GraphQLNamedType | undefined,
  ): GraphQLCompositeType[] {
    if (!isCompositeType(type) || !isCompositeType(wanted)) return [];
    const isOf = (a: GraphQLCompositeType, b: GraphQLCompositeType): boolean =>
      isAbstractType(b) && (isObjectType(a) || isInterfaceType(a)) && schema.isSubType(b, a);
    if (type === wanted || isOf(type, wanted)) return [type];
    if (!isAbstractType(type)) return [];
    if (isAbstractType(wanted))
      return veils.interfaces.has(type.name)
        ? schema.getPossibleTypes(type).filter((member) => isOf(member, wanted))
        : [wanted];
    return isOf(wanted, type) ? [wanted] : [];
  }

  const type = schema.getRootType(operation.operation) ?? undefined;
  return { ...operation, selectionSet: setOf(apart(operation.selectionSet, type, nobody)) };
}

const nobody: ReadonlySet<string> = new Set();

/** Selections with a type condition and directives around them, where there is something. */
function within(
  condition: string | undefined,
  directives: readonly DirectiveNode[],
  selections: readonly SelectionNode[],
): readonly SelectionNode[] {
  if (selections.length === 0 || (condition === undefined && directives.length === 0)) return selections;
  return [fragmentOf(condition, directives, selections)];
}

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
  const parts = selections.filter((one) => one.kind === Kind.INLINE_FRAGMENT && !one.typeCondition);
  const others = selections.filter((one) => !parts.includes(one));
  return [
    ...(others.length > 0 ? [{ ...selection, selectionSet: setOf(others) }] : []),
    ...parts.flatMap(({ directives = [], ...part }) =>
      'selectionSet' in part && part.selectionSet
        ? conditioned(onType({ ...selection, selectionSet: part.selectionSet }), directives)
        : [],
    ),
  ];
}

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
    if (selection.kind !== Kind.INLINE_FRAGMENT || selection.typeCondition) return [selection];
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

const fragmentOf = (
  condition: string | undefined,
  directives: readonly DirectiveNode[],
  selections: readonly SelectionNode[],
): InlineFragmentNode => ({
  kind: Kind.INLINE_FRAGMENT,
  ...(condition !== undefined && {
    typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: condition } },
  }),
  directives,
  selectionSet: setOf(selections),
});

/** The fields of these names, with the fragments around them. */
const filtered = (
  selections: readonly SelectionNode[],
  isMeant: (name: string) => boolean,
): SelectionNode[] =>
  selections.flatMap((selection): SelectionNode[] => {
    if (selection.kind === Kind.FIELD) return isMeant(selection.name.value) ? [selection] : [];
    if (selection.kind === Kind.FRAGMENT_SPREAD) return [];
    const inner = filtered(selection.selectionSet.selections, isMeant);
    return inner.length > 0 ? [{ ...selection, selectionSet: setOf(inner) }] : [];
  });

const setOf = (selections: readonly SelectionNode[]): SelectionSetNode => ({
  kind: Kind.SELECTION_SET,
  selections,
});

const tooLarge = () =>
  problem(
    'QUERY_TOO_COMPLEX',
    `An operation has at most ${mostSelections} selections, those of fragments counted for each type that they are about.`,
  );
