import {
  GraphQLError,
  type GraphQLSchema,
  isScalarType,
  isUnionType,
  type ValueNode,
  valueFromASTUntyped,
} from 'graphql';

/**
 * Has a subgraph refuse what represents none of its entities, as a value that is wrong. Else it is let through by
 * `_Any`, and fails as a fault of the subgraph.
 */
export function checkRepresentations(schema: GraphQLSchema): GraphQLSchema {
  const any = schema.getType('_Any');
  const entity = schema.getType('_Entity');
  if (!isScalarType(any) || !isUnionType(entity)) return schema;
  const names = new Set(entity.getTypes().map(({ name }) => name));

  function check(value: unknown): unknown {
    const name =
      typeof value === 'object' && value !== null
        ? (value as { __typename?: unknown }).__typename
        : undefined;
    if (typeof name === 'string' && names.has(name)) return value;
    throw new GraphQLError(
      `A representation is an object whose __typename is one of ${[...names].join(', ')}.`,
    );
  }
  any.parseValue = check;
  any.parseLiteral = (node: ValueNode, variables) => check(valueFromASTUntyped(node, variables));
  return schema;
}
