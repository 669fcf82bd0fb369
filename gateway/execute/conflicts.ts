import {
  type GraphQLCompositeType,
  type GraphQLError,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isUnionType,
  type SelectionSetNode,
} from 'graphql';
import { problem } from '../../platform/errors.js';
import type { Needs } from './needs.js';
import { collectFields, type Fragments, responseName } from './selections.js';

/** What is needed at a place below an object: by which field, and with which arguments. */
interface Need {
  place: string;
  given: string;
  by: string;
}

/**
 * The refusal of an operation with two fields, of one object or of one and another below it, which need one field
 * with different arguments: plans have one place for both values, and one field would be answered by the wrong one.
 * Undefined where there is none.
 */
export function findConflict(
  { requirements }: Needs,
  schema: GraphQLSchema,
  operation: { type: GraphQLCompositeType; selectionSet: SelectionSetNode; fragments: Fragments },
): GraphQLError | undefined {
  if (requirements.size === 0) return undefined;
  const { fragments } = operation;
  const visited = new Set<string>();
  const numbers = new Map<SelectionSetNode, number>();
  const numberOf = (set: SelectionSetNode): number => {
    const number = numbers.get(set) ?? numbers.size;
    numbers.set(set, number);
    return number;
  };

  /** What a field requires of an object; where an interface is an object to the field's subgraph, the interface's says it. */
  const requiredBy = (object: GraphQLObjectType, field: string): (readonly [string, string])[] =>
    [object, ...object.getInterfaces()].flatMap(({ name }) => [
      ...(requirements.get(name)?.get(field) ?? []),
    ]);

  function visit(
    type: GraphQLCompositeType,
    sets: readonly SelectionSetNode[],
    inherited: readonly Need[],
  ): GraphQLError | undefined {
    const types = isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
    const above = inherited.map(({ place, given }) => `${place}(${given})`).join(' ');
    for (const object of types) {
      const key = `${object.name} ${sets.map(numberOf).join(' ')} ${above}`;
      if (visited.has(key)) continue;
      visited.add(key);
      const fields = [...collectFields(schema, object, sets, { fragments, isIncluded: () => true }).values()];
      const names = new Set(fields.map(([first]) => first?.name.value ?? ''));
      const needs = new Map(inherited.map((need) => [need.place, need]));
      for (const name of names) {
        for (const [place, given] of requiredBy(object, name)) {
          const other = needs.get(place);
          const by = `${object.name}.${name}`;
          if (other && other.given !== given) return refusal(other.by, by, `${object.name}.${place}`);
          if (!other) needs.set(place, { place, given, by });
        }
      }
      for (const nodes of fields) {
        const [first] = nodes;
        const field = first && !isUnionType(object) && object.getFields()[first.name.value];
        const inner = field && getNamedType(field.type);
        if (!first || !isCompositeType(inner)) continue;
        const start = `${responseName(first)}.`;
        const below = visit(
          inner,
          nodes.flatMap(({ selectionSet }) => selectionSet ?? []),
          [...needs.values()].flatMap((need) =>
            need.place.startsWith(start) ? { ...need, place: need.place.slice(start.length) } : [],
          ),
        );
        if (below) return below;
      }
    }
    return undefined;
  }
  return visit(operation.type, [operation.selectionSet], []);
}

const refusal = (a: string, b: string, needed: string): GraphQLError =>
  problem(
    'GRAPHQL_VALIDATION_FAILED',
    `${a} and ${b} need ${needed} with different arguments: ask for them in two operations.`,
  );
