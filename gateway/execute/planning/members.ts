import {
  type DirectiveNode,
  type DocumentNode,
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
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { problem } from '../../../platform/errors.js';
import { mostSelections } from '../../guard/expansion.js';
import { type Fragments, fragmentsOf } from '../selections.js';
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
  const fragments = fragmentsOf(document);
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
  fragments: Fragments;
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
        const forAll = filtered(inner, isForAll);
        const own = filtered(inner, (name) => !isForAll(name));
        return [
          ...within(veil === type?.name ? undefined : veil, directives, forAll),
          // Whose they are has to be known all the same, wherever they are there.
          ...within(
            target.name,
            directives,
            isUncertain({ selectionSet: setOf(own) }) ? [...own, ...typesFor(forAll)] : own,
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
export function within(
  condition: string | undefined,
  directives: readonly DirectiveNode[],
  selections: readonly SelectionNode[],
): readonly SelectionNode[] {
  if (selections.length === 0 || (condition === undefined && directives.length === 0)) return selections;
  return [fragmentOf(condition, directives, selections)];
}

/** An inline fragment, with or without a type. */
export const fragmentOf = (
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

/** The names of types in place of fields, on the conditions that those have. */
const typesFor = (selections: readonly SelectionNode[]): SelectionNode[] =>
  selections.some(({ kind, directives = [] }) => kind === Kind.FIELD && !directives.some(isCondition))
    ? [typename]
    : selections.flatMap((selection): SelectionNode[] => {
        if (selection.kind === Kind.FIELD)
          return [{ ...typename, directives: selection.directives?.filter(isCondition) ?? [] }];
        if (selection.kind === Kind.FRAGMENT_SPREAD) return [];
        return [{ ...selection, selectionSet: setOf(typesFor(selection.selectionSet.selections)) }];
      });

export const setOf = (selections: readonly SelectionNode[]): SelectionSetNode => ({
  kind: Kind.SELECTION_SET,
  selections,
});

const tooLarge = () =>
  problem(
    'QUERY_TOO_COMPLEX',
    `An operation has at most ${mostSelections} selections, those of fragments counted for each type that they are about.`,
  );
