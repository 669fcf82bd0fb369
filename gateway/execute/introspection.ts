import {
  type DocumentNode,
  executeSync,
  type FieldNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import type { Entity } from './entity.js';
import type { Fragments } from './selections.js';

export const isIntrospection = ({ name: { value } }: FieldNode): boolean =>
  value === '__schema' || value === '__type';

/** What `__schema` and `__type` of an operation answer, by response name; undefined where it asks for neither. */
export type Introspect = (variables: Readonly<Record<string, unknown>>) => Entity;

/** Introspection is answered by graphql-js, from an operation that holds nothing else at its root. */
export function compileIntrospection(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Fragments,
): Introspect | undefined {
  if (operation.operation !== 'query') return undefined;
  let isAsked = false;
  const onlyIntrospection = <N extends { selectionSet: SelectionSetNode }>(node: N): N =>
    visit(node as never, {
      Field(field: FieldNode, _key, _parent, _path, ancestors) {
        if (!isAtRoot(ancestors)) return undefined;
        if (isIntrospection(field)) isAsked = true;
        return isIntrospection(field) || field.name.value === '__typename' ? false : null;
      },
    }) as N;
  const root = onlyIntrospection(operation);
  const type = schema.getQueryType()?.name;
  const ofRoot = [...fragments.values()].map((fragment) =>
    fragment.typeCondition.name.value === type ? onlyIntrospection(fragment) : fragment,
  );
  if (!isAsked) return undefined;
  const document: DocumentNode = { kind: Kind.DOCUMENT, definitions: [root, ...ofRoot] };
  return (variables) => {
    const { data } = executeSync({ schema, document, variableValues: variables });
    return { ...data };
  };
}

/** Whether a field's parents are the operation or fragment itself and inline fragments. */
const isAtRoot = (ancestors: readonly unknown[]): boolean =>
  !ancestors.some((ancestor) => (ancestor as { kind?: string }).kind === 'Field');
