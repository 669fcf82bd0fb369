import {
  type DocumentNode,
  executeSync,
  type FieldNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql';
import type { Complete, Completion } from './completion.js';
import { type Fragments, responseName } from './selections.js';

export const isIntrospection = ({ name: { value } }: FieldNode): boolean =>
  value === '__schema' || value === '__type';

/** Compiles what nodes of one `__schema` or `__type` answer, wherever there is a Query to ask for it. */
export type Introspect = (nodes: readonly FieldNode[]) => Complete;

/** Introspection is answered by graphql-js, from an operation that holds nothing else. */
export function compileIntrospection(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Fragments,
): Introspect {
  return (nodes) => {
    const query: OperationDefinitionNode = {
      ...operation,
      operation: OperationTypeNode.QUERY,
      selectionSet: { kind: Kind.SELECTION_SET, selections: nodes },
    };
    const document: DocumentNode = { kind: Kind.DOCUMENT, definitions: [query, ...fragments.values()] };
    const [name = ''] = nodes.map(responseName);
    /** In an answer with many Queries it is the same in all of them. */
    const known = new WeakMap<Completion, unknown>();
    return (_value, completion) => {
      if (!known.has(completion)) {
        const { data } = executeSync({ schema, document, variableValues: completion.variables });
        known.set(completion, data?.[name] ?? null);
      }
      return known.get(completion);
    };
  };
}
