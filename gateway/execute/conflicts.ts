import {
  type GraphQLCompositeType,
  type GraphQLError,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isUnionType,
  type SelectionSetNode,
} from 'graphql';
import { problem } from '../../platform/errors.js';
import type { Conflict, Needs } from './needs.js';
import { collectFields, type Fragments } from './selections.js';

/**
 * The refusal of an operation that asks one object for two fields which need another of it with different
 * arguments: plans have one place for both values, and one field would be answered by the wrong one. Undefined
 * where there is none.
 */
export function findConflict(
  { conflicts }: Needs,
  schema: GraphQLSchema,
  operation: { type: GraphQLCompositeType; selectionSet: SelectionSetNode; fragments: Fragments },
): GraphQLError | undefined {
  if (conflicts.size === 0) return undefined;
  const { fragments } = operation;
  const visited = new Set<string>();
  const numbers = new Map<SelectionSetNode, number>();
  const numberOf = (set: SelectionSetNode): number => {
    const number = numbers.get(set) ?? numbers.size;
    numbers.set(set, number);
    return number;
  };

  function visit(type: GraphQLCompositeType, sets: readonly SelectionSetNode[]): GraphQLError | undefined {
    const types = isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
    for (const object of types) {
      const key = `${object.name} ${sets.map(numberOf).join(' ')}`;
      if (visited.has(key)) continue;
      visited.add(key);
      const fields = [...collectFields(schema, object, sets, { fragments, isIncluded: () => true }).values()];
      const names = new Set(fields.map(([first]) => first?.name.value ?? ''));
      const found = conflicts.get(object.name)?.find(({ fields: [a, b] }) => names.has(a) && names.has(b));
      if (found) return refusal(object.name, found);
      for (const nodes of fields) {
        const field = isUnionType(object) ? undefined : object.getFields()[nodes[0]?.name.value ?? ''];
        const inner = field && getNamedType(field.type);
        if (!isCompositeType(inner)) continue;
        const below = visit(
          inner,
          nodes.flatMap(({ selectionSet }) => selectionSet ?? []),
        );
        if (below) return below;
      }
    }
    return undefined;
  }
  return visit(operation.type, [operation.selectionSet]);
}

const refusal = (type: string, { fields: [a, b], needed }: Conflict): GraphQLError =>
  problem(
    'GRAPHQL_VALIDATION_FAILED',
    `${type}.${a} and ${type}.${b} need ${type}.${needed} with different arguments: ask for them in two operations.`,
  );
