import {
  type DefinitionNode,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { isIntrospection } from '../introspection.js';
import { conditionsOf } from '../selections.js';
import type { Needs } from './needs.js';

/** A document for the planner, which has subgraphs answer introspection below the root, each of its own schema. */
export const withoutIntrospection = (document: DocumentNode): DocumentNode =>
  visit(document, {
    Field: (field) => (isIntrospection(field) ? { ...typename, directives: field.directives } : undefined),
  });

/** A document whose conditions do not depend on variables any more. */
export const withConditionsSettled = (
  document: DocumentNode,
  values: ReadonlyMap<string, boolean>,
): DocumentNode =>
  visit(document, {
    Directive(directive): DirectiveNode | undefined {
      const [argument] = directive.arguments ?? [];
      if (!isCondition(directive) || argument?.value.kind !== Kind.VARIABLE) return undefined;
      const value = values.get(argument.value.name.value) === true;
      return { ...directive, arguments: [{ ...argument, value: { kind: Kind.BOOLEAN, value } }] };
    },
  });

/**
 * A document without what `@skip` and `@include` leave out whatever its variables are, fragments that are empty then,
 * and conditions that always hold. For that the planner still fetches what it requires, beside what others require with
 * other arguments, and no subgraph takes both. Of an object of which all is left out nothing is asked for in its place: its type could be
 * known to others alone.
 */
export function withoutLeftOut(document: DocumentNode): DocumentNode {
  let parts = document.definitions.map((node) => ({ node, spreads: spreadsIn(node) }));
  let empty: ReadonlySet<string> | undefined;
  do {
    const found = new Set<string>();
    const before = empty;
    parts = parts.flatMap((part) => {
      // Only where a fragment stood that is empty now there is more to leave out.
      if (before && !part.spreads.some((name) => before.has(name))) return part;
      const node = withoutEmpty(part.node, before);
      if (node.kind !== Kind.FRAGMENT_DEFINITION || !isEmpty(node)) return { ...part, node };
      found.add(node.name.value);
      return [];
    });
    empty = found;
  } while (empty.size > 0);
  return { ...document, definitions: parts.map(({ node }) => node) };
}

function spreadsIn(definition: DefinitionNode): string[] {
  const names: string[] = [];
  visit(definition, { FragmentSpread: ({ name }) => void names.push(name.value) });
  return names;
}

function withoutEmpty(definition: DefinitionNode, empty: ReadonlySet<string> | undefined): DefinitionNode {
  const isOut = (selection: SelectionNode): boolean =>
    (selection.kind === Kind.FRAGMENT_SPREAD && empty?.has(selection.name.value)) || isLeftOut(selection);
  const enter = (selection: SelectionNode): null | undefined => (isOut(selection) ? null : undefined);
  return visit(definition, {
    Field: { enter, leave: fill },
    FragmentSpread: enter,
    InlineFragment: { enter, leave: (fragment) => (isEmpty(fragment) ? null : undefined) },
    OperationDefinition: { leave: fill },
    // What says nothing of variables, and is still there, says nothing.
    Directive: (directive) => (isSettled(directive) ? null : undefined),
  });
}

const isSettled = (directive: DirectiveNode): boolean =>
  isCondition(directive) && directive.arguments?.[0]?.value.kind === Kind.BOOLEAN;

const isLeftOut = (selection: SelectionNode): boolean =>
  conditionsOf(selection).some(
    ({ isInclude, value }) => value.kind === Kind.BOOLEAN && value.value !== isInclude,
  );

const isEmpty = ({ selectionSet }: { readonly selectionSet?: SelectionSetNode | undefined }): boolean =>
  selectionSet?.selections.length === 0;

const fill = <N extends FieldNode | OperationDefinitionNode>(node: N): N | undefined =>
  isEmpty(node) ? { ...node, selectionSet: nothing } : undefined;

/**
 * A document in which some fields that may be left out stand in fragments of their own, which have the condition:
 * - those that require others: the planner makes needs of their own of those. Else it lets the whole entity wait for what
 *   such a field needs, though `@skip` leave the field out and nobody fetch that;
 * - those of which all that is selected may be left out too: else the planner drops them.
 */
export const withConditionsApart = (document: DocumentNode, { requiring }: Needs): DocumentNode =>
  visit(document, {
    Field(field): SelectionNode | undefined {
      const { directives = [], name } = field;
      if (!directives.some(isCondition)) return undefined;
      if (!requiring.has(name.value) && !isUncertain(field)) return undefined;
      const kept = directives.filter((directive) => !isCondition(directive));
      return {
        kind: Kind.INLINE_FRAGMENT,
        directives: directives.filter(isCondition),
        selectionSet: { kind: Kind.SELECTION_SET, selections: [{ ...field, directives: kept }] },
      };
    },
  });

/** Whether all that is selected of an object may be left out, but for what fragments have. */
export const isUncertain = ({ selectionSet }: Pick<FieldNode, 'selectionSet'>): boolean =>
  selectionSet?.selections.every(
    ({ kind, directives = [] }) => kind !== Kind.FIELD || directives.some(isCondition),
  ) ?? false;

export const typename: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

/** What is left out, but for the planner not nothing. */
export const nothing = (
  parse('{ ... @skip(if: true) { __typename } }', { noLocation: true })
    .definitions[0] as OperationDefinitionNode
).selectionSet;

export const isCondition = ({ name }: DirectiveNode): boolean =>
  name.value === 'skip' || name.value === 'include';
