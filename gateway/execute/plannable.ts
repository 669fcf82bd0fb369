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

/**
 * A document as the planner can be asked for it. It has subgraphs answer introspection below the root, each of its own
 * schema. And for a field that requires others it lets the whole entity wait for those, though `@skip` leave the field
 * out and nobody fetch them: unless it stands in a fragment of its own, of which the planner makes a need of its own.
 */
export const plannable = (document: DocumentNode, { requiring }: Needs): DocumentNode =>
  visit(document, {
    Field(field): SelectionNode | undefined {
      const { directives = [], name } = field;
      if (isIntrospection(field)) return { ...typename, directives };
      if (!requiring.has(name.value) || !directives.some(isCondition)) return undefined;
      const kept = directives.filter((directive) => !isCondition(directive));
      return {
        kind: Kind.INLINE_FRAGMENT,
        directives: directives.filter(isCondition),
        selectionSet: { kind: Kind.SELECTION_SET, selections: [{ ...field, directives: kept }] },
      };
    },
  });

const typename: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

const isCondition = ({ name }: DirectiveNode): boolean => name.value === 'skip' || name.value === 'include';
