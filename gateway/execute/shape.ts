import {
  type FieldNode,
  type GraphQLAbstractType,
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  type SelectionSetNode,
} from 'graphql';
import type { Complete, CompleteObject, Completion } from './completion.js';
import { type Entity, isEntity } from './entity.js';
import { type CompiledField, completeFields } from './fields.js';
import type { Introspect } from './introspection.js';
import { markRepeated } from './json.js';
import { leafTest } from './leaf.js';
import { collectFields, type Fragments, type IsIncluded, responseName } from './selections.js';

/** What a compiled object takes by itself and for each field, measured: 1.1 kB with one field, 6.8 with 21. */
const objectWeight = 8;
const fieldWeight = 3;

type Compiled = Pick<CompiledField, 'complete' | 'isComplete'>;

export interface ShapeOptions {
  /** What clients see. */
  schema: GraphQLSchema;
  /** Everything, what clients do not see included. */
  supergraphSchema: GraphQLSchema;
  fragments: Fragments;
  isIncluded: IsIncluded;
  /** What clients call a response name, where they call it something else. */
  clientNames: ReadonlyMap<string, string>;
  introspect: Introspect;
  /** Is told what each kind of object weighs that is compiled, in hundreds of bytes: data decide how many there are. */
  onGrowth: (weight: number) => void;
  /** What some fields are completed by whatever was fetched; undefined for those that are completed by their type. */
  insteadOf?: (nodes: readonly FieldNode[]) => Complete | undefined;
}

/**
 * Compiles what an answer looks like: its fields in the order of the spec, each completed by its type, with
 * nulls that bubble up; what was fetched and not asked for stays out. Objects inside are compiled when the
 * first of their kind comes.
 */
export function compileShape(
  options: ShapeOptions & { type: GraphQLCompositeType; selectionSet: SelectionSetNode },
): CompleteObject {
  const { schema, supergraphSchema } = options;
  const known = new Map<string, CompleteObject>();
  const numbers = new Map<SelectionSetNode, number>();

  function numberOf(selectionSet: SelectionSetNode): number {
    const number = numbers.get(selectionSet) ?? numbers.size;
    numbers.set(selectionSet, number);
    return number;
  }

  function objectOf(type: GraphQLCompositeType, selectionSets: readonly SelectionSetNode[]): CompleteObject {
    const key = `${type.name} ${selectionSets.map(numberOf).join(' ')}`;
    const kept = known.get(key);
    if (kept) return kept;
    const compiled = compileObject(type, selectionSets);
    known.set(key, compiled);
    return compiled;
  }

  function compileObject(
    type: GraphQLCompositeType,
    selectionSets: readonly SelectionSetNode[],
    isRoot = false,
  ): CompleteObject {
    const fields = collectFields(schema, type, selectionSets, options);
    options.onGrowth(objectWeight + fieldWeight * fields.size);
    return completeFields(
      [...fields].map(([key, nodes]) => ({
        key,
        source: responseName(nodes[0] as FieldNode),
        ...compileField(type, nodes, isRoot),
      })),
    );
  }

  function compileField(type: GraphQLCompositeType, nodes: readonly FieldNode[], isRoot: boolean): Compiled {
    const name = nodes[0]?.name.value ?? '';
    // An object that says it is of an abstract type is one that nobody knows the type of.
    if (name === '__typename')
      return { complete: isObjectType(type) ? () => type.name : (_, completion) => missing(completion) };
    const field = isUnionType(type) ? undefined : type.getFields()[name];
    if (!field) return { complete: options.introspect(nodes) };
    const nullable = getNullableType(field.type);
    const other = options.insteadOf?.(nodes);
    if (other)
      return {
        complete:
          nullable === field.type ? other : (value, completion) => other(value, completion) ?? undefined,
      };
    const selectionSets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    const complete = compileValue(field.type, selectionSets);
    return {
      complete: isRoot && nullable === field.type ? demanded(complete) : complete,
      isComplete: isLeafType(nullable) ? leafTest(nullable).expression : undefined,
    };
  }

  function compileValue(type: GraphQLOutputType, selectionSets: readonly SelectionSetNode[]): Complete {
    if (isNonNullType(type)) {
      const complete = compileValue(type.ofType, selectionSets);
      return (value, completion) => {
        const completed = complete(value, completion);
        if (completed !== null) return completed;
        return value === null || value === undefined ? missing(completion) : undefined;
      };
    }
    if (isListType(type)) return completeList(compileValue(type.ofType, selectionSets));
    if (isCompositeType(type)) {
      return isAbstractType(type)
        ? completeAbstract(type, selectionSets)
        : completeEntity(
            type,
            lazily(() => objectOf(type, selectionSets)),
          );
    }
    const { test, written } = leafTest(type);
    const whole = supergraphSchema.getType(type.name);
    const hidden = isEnumType(whole) ? leafTest(whole) : undefined;
    return (value, completion) => {
      if (value === null || value === undefined) return null;
      if (test(value)) return written ? written(value) : value;
      // What is kept from clients is nobody's fault.
      return hidden?.test(value) ? null : wrong(completion);
    };
  }

  function completeEntity(type: GraphQLObjectType, complete: CompleteObject): Complete {
    const { name } = type;
    return (value, completion) => {
      if (value === null || value === undefined) return null;
      if (!isEntity(value)) return wrong(completion);
      const typename = value['__typename'];
      return typename === name || typename === undefined || typename === null
        ? completeOnce(complete, value, completion)
        : wrong(completion);
    };
  }

  /** Whether something is the name of a type that is kept from clients: that is nobody's fault. */
  const isHidden = (typename: unknown): boolean =>
    typeof typename === 'string' && !schema.getType(typename) && !!supergraphSchema.getType(typename);

  const isKindOf = (type: GraphQLCompositeType, wanted: GraphQLAbstractType): boolean =>
    type === wanted || (!isUnionType(type) && schema.isSubType(wanted, type));

  function completeAbstract(type: GraphQLAbstractType, selectionSets: readonly SelectionSetNode[]): Complete {
    const byName = new Map<unknown, CompleteObject | undefined>();
    const find = (typename: unknown): CompleteObject | undefined => {
      if (byName.has(typename)) return byName.get(typename);
      const named = typeof typename === 'string' ? schema.getType(typename) : undefined;
      const fits = isCompositeType(named) && isKindOf(named, type);
      const found = fits ? objectOf(named, selectionSets) : undefined;
      if (found) byName.set(typename, found);
      return found;
    };
    const untold = isUnionType(type) ? undefined : lazily(() => objectOf(type, selectionSets));
    return (value, completion) => {
      if (value === null || value === undefined) return null;
      if (!isEntity(value)) return wrong(completion);
      const typename = value['__typename'];
      // A subgraph to which an interface is an object need not be asked for its name; one that is asked has to tell.
      const complete = typename === undefined ? untold : find(typename);
      if (complete) return completeOnce(complete, value, completion);
      return isHidden(typename) ? null : wrong(completion);
    };
  }

  return compileObject(options.type, [options.selectionSet], true);
}

/** Compiles at the first call: a selection may be far larger than what ever comes of it. */
function lazily(compile: () => CompleteObject): CompleteObject {
  let compiled: CompleteObject | undefined;
  return (source, completion) => {
    compiled ??= compile();
    return compiled(source, completion);
  };
}

/** So many places of one answer are told; each costs a line of the log. */
const mostWrong = 1_000;

function wrong(completion: Completion): null {
  completion.isWrong = true;
  if (completion.path && completion.wrong.length < mostWrong) completion.wrong.push([...completion.path]);
  return null;
}

function missing(completion: Completion): undefined {
  completion.isMissing = true;
  const { path, within } = completion;
  if (path && completion.missing.length < mostWrong) completion.missing.push({ path: [...path], within });
}

/** Of a field that may be null, but is always told: what the root has comes from nowhere else. */
const demanded =
  (complete: Complete): Complete =>
  (value, completion) => {
    if (value === undefined) missing(completion);
    return complete(value, completion);
  };

/** What stands in several places is completed once, unless places are wanted. */
function completeOnce(complete: CompleteObject, source: Entity, completion: Completion): Entity | null {
  const { repeated, path } = completion;
  const done = repeated.size > 0 && !path ? repeated.get(source) : undefined;
  if (!done) return complete(source, completion) ?? null;
  const known = done.get(complete);
  if (known !== undefined) return known;
  const completed = complete(source, completion) ?? null;
  if (completed) markRepeated(completed);
  done.set(complete, completed);
  return completed;
}

const completeList =
  (complete: Complete): Complete =>
  (value, completion) => {
    if (value === null || value === undefined) return null;
    if (!Array.isArray(value)) return wrong(completion);
    const { path } = completion;
    const list = new Array<unknown>(value.length);
    let isBroken = false;
    for (let index = 0; index < value.length; index++) {
      path?.push(index);
      const item = complete(value[index], completion);
      path?.pop();
      if (item === undefined) isBroken = true;
      list[index] = item;
    }
    return isBroken ? null : list;
  };
