import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  Kind,
  type SelectionNode,
  visit,
} from 'graphql';
import { isIntrospection } from './introspection.js';
import type { Needs } from './needs.js';
import { conditionsOf } from './selections.js';

/** A document for the planner, which has subgraphs answer introspection below the root, each of its own schema. */
export const withoutIntrospection = (document: DocumentNode): DocumentNode =>
  visit(document, {
    Field: (field) => (isIntrospection(field) ? { ...typename, directives: field.directives } : undefined),
  });

/**
 * A document without what `@skip` and `@include` leave out whatever its variables are. For that the planner still
 * fetches what it requires, beside what others require with other arguments, and no subgraph takes both. Where nothing is
 * left the name of the type is left out too: to tell it, the planner may ask another subgraph.
 */
export const withoutLeftOut = (document: DocumentNode): DocumentNode =>
  visit(document, {
    Field: unlessLeftOut,
    FragmentSpread: unlessLeftOut,
    InlineFragment: unlessLeftOut,
    SelectionSet: {
      leave: (set) => (set.selections.length > 0 ? undefined : { ...set, selections: [noTypename] }),
    },
  });

const unlessLeftOut = (selection: SelectionNode): null | undefined =>
  conditionsOf(selection).some(
    ({ isInclude, value }) => value.kind === Kind.BOOLEAN && value.value !== isInclude,
  )
    ? null
    : undefined;

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
const isUncertain = ({ selectionSet }: FieldNode): boolean =>
  selectionSet?.selections.every(
    ({ kind, directives = [] }) => kind !== Kind.FIELD || directives.some(isCondition),
  ) ?? false;

const typename: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

const noTypename: FieldNode = {
  ...typename,
  directives: [
    {
      kind: Kind.DIRECTIVE,
      name: { kind: Kind.NAME, value: 'skip' },
      arguments: [
        {
          kind: Kind.ARGUMENT,
          name: { kind: Kind.NAME, value: 'if' },
          value: { kind: Kind.BOOLEAN, value: true },
        },
      ],
    },
  ],
};

const isCondition = ({ name }: DirectiveNode): boolean => name.value === 'skip' || name.value === 'include';
