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

/** A document for the planner, which has subgraphs answer introspection below the root, each of its own schema. */
export const withoutIntrospection = (document: DocumentNode): DocumentNode =>
  visit(document, {
    Field: (field) => (isIntrospection(field) ? { ...typename, directives: field.directives } : undefined),
  });

/**
 * A document whose fields that require others, and may be left out, stand in fragments of their own: the planner makes
 * needs of their own of those. Else it lets the whole entity wait for what such a field needs, though `@skip` leave the
 * field out and nobody fetch that.
 */
export const withNeedsApart = (document: DocumentNode, { requiring }: Needs): DocumentNode =>
  visit(document, {
    Field(field): SelectionNode | undefined {
      const { directives = [], name } = field;
      if (!requiring.has(name.value) || !directives.some(isCondition)) return undefined;
      const kept = directives.filter((directive) => !isCondition(directive));
      return {
        kind: Kind.INLINE_FRAGMENT,
        directives: directives.filter(isCondition),
        selectionSet: { kind: Kind.SELECTION_SET, selections: [{ ...field, directives: kept }] },
      };
    },
  });

/**
 * A document in which each field with a condition is asked for something whatever the conditions say: the planner drops
 * one where all that is selected of it has a condition too.
 */
export const withAnchors = (document: DocumentNode): DocumentNode =>
  visit(document, {
    Field: {
      leave(field): FieldNode | undefined {
        const { directives = [], selectionSet } = field;
        if (!selectionSet || !directives.some(isCondition) || selectionSet.selections.some(isCertain))
          return undefined;
        const selections = [...selectionSet.selections, typename];
        return { ...field, selectionSet: { ...selectionSet, selections } };
      },
    },
  });

const isCertain = ({ kind, directives = [] }: SelectionNode): boolean =>
  kind === Kind.FIELD && !directives.some(isCondition);

const typename: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

const isCondition = ({ name }: DirectiveNode): boolean => name.value === 'skip' || name.value === 'include';
