import {
  type FieldNode,
  type GraphQLArgument,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type SelectionSetNode,
  type ValueNode,
  valueFromASTUntyped,
  visit,
} from 'graphql';
import type { OperationParts } from '../../execute/selections.js';
import type { CostRules, ListSize } from './rules.js';

type Variables = Readonly<Record<string, unknown>>;
/** What something costs, where its variables are these. */
type Cost = (variables: Variables) => number;

/** How long a list is thought to be of which nobody says it. */
const usualLength = 10;
/** A mutation writes. */
const mutationWeight = 10;

/**
 * Compiles what an operation of a valid document may cost at most, before anything of it is fetched: the objects that
 * its answer may have, each of weight 1 unless `@cost` says another, leaves of weight 0. Lists are as long as
 * `@listSize` says, or as ten. After the specification of IBM, as Apollo's routers read it.
 */
export function compileCost(
  { operation, fragments }: OperationParts,
  schema: GraphQLSchema,
  { weights, sizes }: CostRules,
): Cost {
  const defaults = new Map(
    (operation.variableDefinitions ?? []).map(({ variable, defaultValue }) => [
      variable.name.value,
      defaultValue && valueFromASTUntyped(defaultValue),
    ]),
  );
  /** Where nothing that counts depends on a variable, nothing of the document is kept. */
  let isVariable = false;
  const reading = (node: ValueNode): ((variables: Variables) => unknown) => {
    if (node.kind !== Kind.VARIABLE && !hasVariables(node)) {
      const value = valueFromASTUntyped(node);
      return () => value;
    }
    isVariable = true;
    if (node.kind !== Kind.VARIABLE) return (variables) => valueFromASTUntyped(node, { ...variables });
    const { value: name } = node.name;
    const usual = defaults.get(name);
    return (variables) => (variables[name] === undefined ? usual : variables[name]);
  };
  const weighsInputs = [...weights.keys()].some((coordinate) => isInputField(schema, coordinate));

  /** `lengths`: of the fields whose parent says how long they are. */
  function costOfSet(
    { selections }: SelectionSetNode,
    type: GraphQLNamedType,
    lengths: ReadonlyMap<string, Cost>,
  ): Cost {
    return sumOf(
      selections.map((node) => {
        if (node.kind === Kind.FIELD) return costOfField(node, type, lengths);
        if (node.kind === Kind.FRAGMENT_SPREAD) return costOfSpread(node.name.value, type, lengths);
        const condition = node.typeCondition?.name.value;
        return costOfSet(node.selectionSet, (condition && schema.getType(condition)) || type, lengths);
      }),
    );
  }

  /** Those of fragments that cost the same wherever they are used: compiled once, however often that is. */
  const ofFragments = new Map<string, Cost>();
  function costOfSpread(name: string, type: GraphQLNamedType, lengths: ReadonlyMap<string, Cost>): Cost {
    const before = lengths.size === 0 ? ofFragments.get(name) : undefined;
    if (before) return before;
    const fragment = fragments.get(name);
    if (!fragment) return free;
    const condition = schema.getType(fragment.typeCondition.name.value) ?? type;
    const cost = costOfSet(fragment.selectionSet, condition, lengths);
    if (lengths.size === 0) ofFragments.set(name, cost);
    return cost;
  }

  function costOfField(node: FieldNode, parent: GraphQLNamedType, lengths: ReadonlyMap<string, Cost>): Cost {
    const name = node.name.value;
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
    if (!field) return free;
    const coordinate = `${parent.name}.${name}`;
    const named = getNamedType(field.type);
    const size = sizes.get(coordinate);
    const length = size && lengthOf(size, node, field.args);
    const isSized = size !== undefined && size.sizedFields.length > 0;
    const inner = node.selectionSet
      ? costOfSet(
          node.selectionSet,
          named,
          new Map(isSized && length ? size.sizedFields.map((sized) => [sized, length]) : []),
        )
      : free;
    const weight = weights.get(coordinate) ?? weights.get(named.name) ?? (isCompositeType(named) ? 1 : 0);
    const times = timesOf(field.type, lengths.get(name) ?? (isSized ? undefined : length));
    const given = costOfArguments(node, field.args, coordinate);
    const root = parent === schema.getMutationType() ? mutationWeight : 0;
    if (weight === 0 && inner === free && given === free && root === 0) return free;
    return (variables) => root + given(variables) + times(variables) * (weight + inner(variables));
  }

  function lengthOf(
    { assumedSize, slicingArguments }: ListSize,
    node: FieldNode,
    args: readonly GraphQLArgument[],
  ): Cost {
    const slicing = slicingArguments.map((name) => {
      const given = node.arguments?.find((argument) => argument.name.value === name)?.value;
      const usual = args.find((argument) => argument.name === name)?.defaultValue;
      const value = given && reading(given);
      return (variables: Variables): unknown => value?.(variables) ?? usual;
    });
    return (variables) => {
      const lengths = slicing
        .map((value) => value(variables))
        .filter((value): value is number => typeof value === 'number');
      return lengths.length > 0 ? Math.max(0, ...lengths) : (assumedSize ?? usualLength);
    };
  }

  function costOfArguments(node: FieldNode, args: readonly GraphQLArgument[], coordinate: string): Cost {
    return sumOf(
      (node.arguments ?? []).map(({ name, value }) => {
        const weight = weights.get(`${coordinate}(${name.value}:)`) ?? 0;
        const type = args.find((argument) => argument.name === name.value)?.type;
        if (weight === 0 && !weighsInputs) return free;
        const read = reading(value);
        return (variables) => {
          const given = read(variables);
          return given === undefined || given === null ? 0 : weight + (type ? costOfInput(type, given) : 0);
        };
      }),
    );
  }

  function costOfInput(type: GraphQLInputType, value: unknown): number {
    if (value === undefined || value === null) return 0;
    const nullable = getNullableType(type);
    if (isListType(nullable))
      return [value].flat().reduce<number>((sum, item) => sum + costOfInput(nullable.ofType, item), 0);
    if (!isInputObjectType(nullable) || typeof value !== 'object') return 0;
    return Object.values(nullable.getFields()).reduce((sum, field) => {
      const given = (value as Record<string, unknown>)[field.name];
      if (given === undefined || given === null) return sum;
      return sum + (weights.get(`${nullable.name}.${field.name}`) ?? 0) + costOfInput(field.type, given);
    }, 0);
  }

  const type = schema.getRootType(operation.operation);
  if (!type) return free;
  const cost = costOfSet(operation.selectionSet, type, new Map());
  if (isVariable) return cost;
  const always = cost({});
  return () => always;
}

const free: Cost = () => 0;

function sumOf(costs: readonly Cost[]): Cost {
  const counted = costs.filter((cost) => cost !== free);
  const [only] = counted;
  if (!only) return free;
  if (counted.length === 1) return only;
  return (variables) => counted.reduce((sum, cost) => sum + cost(variables), 0);
}

/** How often an object of a field's type may stand there. */
function timesOf(type: GraphQLOutputType, length: Cost | undefined): Cost {
  const nullable = getNullableType(type);
  if (!isListType(nullable)) return () => 1;
  const inner = timesOf(nullable.ofType, undefined);
  const outer = length ?? (() => usualLength);
  return (variables) => outer(variables) * inner(variables);
}

function hasVariables(node: ValueNode): boolean {
  let found = false;
  visit(node, {
    Variable() {
      found = true;
    },
  });
  return found;
}

const isInputField = (schema: GraphQLSchema, coordinate: string): boolean =>
  isInputObjectType(schema.getType(coordinate.split('.')[0] ?? '')) && coordinate.includes('.');
