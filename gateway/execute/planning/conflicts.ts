import {
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLError,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isUnionType,
  Kind,
  type NameNode,
  type OperationTypeNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { problem } from '../../../platform/errors.js';
import type { Fetched } from '../blame.js';
import { collectFields } from '../selections.js';
import { argumentsOf, type Needs, placeOf } from './needs.js';

/** So often selections are looked at, which takes a tenth of a second: 25 times each of the largest operation. */
const mostLooks = 250_000;

/**
 * The refusal of a plan that fetches two fields which need a third, of one object or of one below it, with different
 * arguments: plans have one place for both values, and one field would be answered by the wrong one. Undefined
 * where there is none. Whether clients ask for the fields, or other fields need them, is all the same here.
 */
export function findConflict(
  { requirements }: Needs,
  schema: GraphQLSchema,
  { kind, fetched }: { kind: OperationTypeNode; fetched: () => readonly Fetched[] },
): GraphQLError | undefined {
  if (requirements.size === 0) return undefined;
  const neededBy = new Map<FieldNode, string>();
  let looks = 0;
  /** Neither `@skip` nor `@include` helps: what is needed for both fields goes out in one document, which nobody takes. */
  const everything = {
    fragments: new Map(),
    isIncluded() {
      looks++;
      return true;
    },
  };
  const known = new Set<string>();
  const numbers = new Map<SelectionSetNode, number>();
  const numberOf = (set: SelectionSetNode): number => {
    const number = numbers.get(set) ?? numbers.size;
    numbers.set(set, number);
    return number;
  };

  /** What a fetch selects, with what its fields need beside them. */
  function withNeeds({ service, kind, selectionSet }: Fetched): SelectionSetNode {
    const types = new TypeInfo(schema, schema.getRootType(kind));
    const leave = (set: SelectionSetNode): SelectionSetNode | undefined => {
      const parent = types.getParentType()?.name ?? '';
      const needed = set.selections.flatMap((selection) => {
        const name = selection.kind === Kind.FIELD ? selection.name.value : '';
        const needs = requirements.get(placeOf(service, parent, name));
        if (needs) visit(needs, { Field: (field) => void neededBy.set(field, `${parent}.${name}`) });
        return needs?.selections ?? [];
      });
      return needed.length > 0 ? { ...set, selections: [...set.selections, ...needed] } : undefined;
    };
    return visit(selectionSet, visitWithTypeInfo(types, { SelectionSet: { leave } }));
  }

  const needing = new Map<SelectionSetNode, boolean>();
  /** Whether anything in a selection is there because a field needs it: where nothing is, there is no conflict. */
  function isNeeding(set: SelectionSetNode): boolean {
    const before = needing.get(set);
    if (before !== undefined) return before;
    const is = set.selections.some(
      (node) =>
        node.kind !== Kind.FRAGMENT_SPREAD &&
        ((node.kind === Kind.FIELD && neededBy.has(node)) ||
          (node.selectionSet !== undefined && isNeeding(node.selectionSet))),
    );
    needing.set(set, is);
    return is;
  }

  function find(type: GraphQLCompositeType, sets: readonly SelectionSetNode[]): GraphQLError | undefined {
    if (!sets.some(isNeeding)) return undefined;
    const types = isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
    for (const object of types) {
      const key = `${object.name} ${sets.map(numberOf).join(' ')}`;
      if (known.has(key)) continue;
      known.add(key);
      if (looks > mostLooks) return tooComplex();
      for (const nodes of collectFields(schema, object, sets, everything).values()) {
        // The first is what was fetched first, which the paths of other fetches lead through.
        const name = nodes[0]?.name.value ?? '';
        const [needed, ...more] = nodes.filter((node) => neededBy.has(node));
        const other = needed && more.find((node) => argumentsOf(node) !== argumentsOf(needed));
        if (other) return refusal(neededBy.get(needed), neededBy.get(other), `${object.name}.${name}`);
        const field = isUnionType(object) ? undefined : object.getFields()[name];
        const inner = field && getNamedType(field.type);
        const setsBelow = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
        const below = isCompositeType(inner) ? find(inner, setsBelow) : undefined;
        if (below) return below;
      }
    }
    return undefined;
  }
  const root = schema.getRootType(kind);
  const sets = fetched().map((one) => atRoot(one.path, withNeeds(one)));
  return root ? find(root, sets) : undefined;
}

/** What is selected where a path leads, as a selection of the root. */
const atRoot = (path: Fetched['path'], selectionSet: SelectionSetNode): SelectionSetNode =>
  path
    .filter((step) => step !== '@')
    .reduceRight<SelectionSetNode>((inner, step) => {
      const name: NameNode = { kind: Kind.NAME, value: String(step) };
      return { kind: Kind.SELECTION_SET, selections: [{ kind: Kind.FIELD, name, selectionSet: inner }] };
    }, selectionSet);

/** Each type condition can double the ways in which fields merge, and nobody else is served meanwhile. */
const tooComplex = (): GraphQLError =>
  problem(
    'QUERY_TOO_COMPLEX',
    'Fields that need others stand below too many fragments on types, within each other: nest fewer of them.',
  );

const refusal = (a: string | undefined, b: string | undefined, needed: string): GraphQLError =>
  problem(
    'GRAPHQL_VALIDATION_FAILED',
    `${a} and ${b} need ${needed} with different arguments: ask for them in two operations.`,
  );
