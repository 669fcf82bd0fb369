import { type FieldNode, type GraphQLField, getArgumentValues, Kind, type ValueNode } from 'graphql';

type Arguments = { [name: string]: unknown };

/**
 * The arguments of a field, coerced, in a new object each time. Those without variables are coerced once, where
 * all of them are plain: what a resolver does to an object must not reach the next request.
 * @throws GraphQLError, each time, where one does not fit
 */
export function argumentsOf(
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
): { isStatic: boolean; values: (variables: Arguments) => Arguments } {
  if (field.args.length === 0) return { isStatic: true, values: () => ({}) };
  const evaluate = (variables: Arguments): Arguments => getArgumentValues(field, node, variables);
  const known = node.arguments?.some(({ value }) => hasVariable(value)) ? undefined : attempt(evaluate);
  if (!known || !Object.values(known).every(isPlain)) return { isStatic: false, values: evaluate };
  return { isStatic: true, values: () => ({ ...known }) };
}

function attempt(evaluate: (variables: Arguments) => Arguments): Arguments | undefined {
  try {
    return evaluate({});
  } catch {
    return undefined;
  }
}

const isPlain = (value: unknown): boolean =>
  value === null || (typeof value !== 'object' && typeof value !== 'function');

function hasVariable(node: ValueNode): boolean {
  if (node.kind === Kind.VARIABLE) return true;
  if (node.kind === Kind.LIST) return node.values.some(hasVariable);
  return node.kind === Kind.OBJECT && node.fields.some(({ value }) => hasVariable(value));
}
