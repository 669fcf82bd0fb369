import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  isAbstractType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { OperationParts } from '../../execute/selections.js';

/** What is left of an operation. */
export interface Filtered {
  document: DocumentNode;
  /** The fields that were taken out, with all that is below them. */
  removed: ReadonlySet<FieldNode>;
  /** One of the root's fields that were taken out. */
  root: FieldNode | undefined;
}

/**
 * An operation of a valid document without the fields that may not be seen, and what nothing else needs then. Objects
 * of which nothing is left are still asked for, by their type's name: whether they are there tells the answer. So does
 * the name of what may be of several types.
 */
export function withoutDenied(
  { operation, fragments }: OperationParts,
  schema: GraphQLSchema,
  isDenied: (type: string, field: string) => boolean,
): Filtered {
  const removed = new Set<FieldNode>();
  const rootType = schema.getRootType(operation.operation);
  let root: FieldNode | undefined;
  const removeAll = (node: FieldNode): void =>
    void visit(node, { Field: (field) => void removed.add(field) });

  function strip<Node extends OperationDefinitionNode | FragmentDefinitionNode>(node: Node): Node {
    const types = new TypeInfo(schema);
    return visit(
      node,
      visitWithTypeInfo(types, {
        Field(field) {
          const parent = types.getParentType();
          if (!parent || !isDenied(parent.name, field.name.value)) return undefined;
          removeAll(field);
          if (parent === rootType) root = field;
          return null;
        },
        SelectionSet: {
          leave(set) {
            const isNeeded = set.selections.length === 0 || isAbstractType(types.getParentType());
            return isNeeded ? { ...set, selections: [...set.selections, typename] } : undefined;
          },
        },
      }),
    );
  }

  const stripped = new Map([...fragments].map(([name, fragment]) => [name, strip(fragment)]));
  const left = strip(operation);
  const used = new Set<FragmentDefinitionNode>();
  const variables = new Set<string>();
  const collect = (set: SelectionSetNode | OperationDefinitionNode | FragmentDefinitionNode): void =>
    void visit(set, {
      VariableDefinition: () => false,
      Variable: ({ name }) => void variables.add(name.value),
      FragmentSpread({ name }) {
        const fragment = stripped.get(name.value);
        if (!fragment || used.has(fragment)) return;
        used.add(fragment);
        collect(fragment);
      },
    });
  collect(left);
  const variableDefinitions = left.variableDefinitions?.filter(({ variable }) =>
    variables.has(variable.name.value),
  );
  return {
    document: {
      kind: Kind.DOCUMENT,
      definitions: [{ ...left, ...(variableDefinitions && { variableDefinitions }) }, ...used],
    },
    removed,
    root,
  };
}

const typename: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };
