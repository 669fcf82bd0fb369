import {
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNullableType,
  isLeafType,
  isScalarType,
  isUnionType,
  Kind,
  parse,
  type ValueNode,
  valueFromASTUntyped,
} from 'graphql';
import { isId } from '../ids.js';

/**
 * Has a subgraph refuse what represents none of its entities, as a value that is wrong. Else it is let through by
 * `_Any`, and fails as a fault of the subgraph. Resolvers get ids as databases spell them, in lower case.
 */
export function checkRepresentations(schema: GraphQLSchema): GraphQLSchema {
  const any = schema.getType('_Any');
  const entity = schema.getType('_Entity');
  if (!isScalarType(any) || !isUnionType(entity)) return schema;
  const keys = new Map(entity.getTypes().map((type) => [type.name, keysOf(type)]));

  function check(value: unknown): unknown {
    const name =
      typeof value === 'object' && value !== null
        ? (value as { __typename?: unknown }).__typename
        : undefined;
    const known = typeof name === 'string' ? keys.get(name) : undefined;
    if (!known)
      throw new GraphQLError(
        `A representation is an object whose __typename is one of ${[...keys.keys()].join(', ')}.`,
      );
    const given = value as Record<string, unknown>;
    const key = known.find((fields) => fields.every(({ name, isLeaf }) => fits(given[name], isLeaf)));
    if (key)
      return key.some(({ name }) => given[name] !== canonical(given[name])) ? spelt(given, key) : value;
    throw new GraphQLError(
      `A representation of ${name} has ${known.map((fields) => fields.map(({ name }) => name).join(' and ')).join(', or ')}.`,
    );
  }
  any.parseValue = check;
  any.parseLiteral = (node: ValueNode, variables) => check(valueFromASTUntyped(node, variables));
  return schema;
}

interface KeyField {
  name: string;
  /** Whether its value is one text or whole number, as ids are. */
  isLeaf: boolean;
}

const fits = (value: unknown, isLeaf: boolean): boolean =>
  isLeaf ? typeof value === 'string' || Number.isInteger(value) : value !== undefined && value !== null;

const canonical = (value: unknown): unknown =>
  typeof value === 'string' && isId(value) ? value.toLowerCase() : value;

/** The representation with its ids in lower case. */
const spelt = (given: Record<string, unknown>, key: KeyField[]): Record<string, unknown> => ({
  ...given,
  ...Object.fromEntries(key.map(({ name }) => [name, canonical(given[name])])),
});

/** The fields of each key of an entity; of nested ones the outermost. */
const keysOf = (type: GraphQLObjectType): KeyField[][] =>
  (type.astNode?.directives ?? [])
    .filter(({ name }) => name.value === 'key')
    .flatMap(({ arguments: given = [] }) => given.filter(({ name }) => name.value === 'fields'))
    .flatMap(({ value }) => (value.kind === Kind.STRING ? [outermost(value.value)] : []))
    .map((names) =>
      names.map((name) => {
        const field = type.getFields()[name]?.type;
        return { name, isLeaf: isLeafType(field && getNullableType(field)) };
      }),
    );

function outermost(fields: string): string[] {
  const { definitions } = parse(`{ ${fields} }`);
  const [operation] = definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) return [];
  return operation.selectionSet.selections.flatMap((node) =>
    node.kind === Kind.FIELD ? [node.name.value] : [],
  );
}
