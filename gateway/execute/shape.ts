import {
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  type SelectionSetNode,
} from 'graphql';
import { type Entity, isEntity, own, put } from './entity.js';
import { leafTest } from './leaf.js';
import { collectFields, type Fragments, type IsIncluded, responseName } from './selections.js';

/** What is found while an answer is completed. */
export interface Completion {
  /** Whether something was null or missing that may not be. */
  isMissing: boolean;
  /** Whether something did not fit its type. */
  isWrong: boolean;
  /** Where completing is; undefined unless places are wanted, which cost time. */
  path: (string | number)[] | undefined;
  /** The places of what did not fit its type, where `path` is kept. */
  wrong: (string | number)[][];
}

/** The completed value; null where it may be null and is, undefined where it is null and may not be. */
type Complete = (value: unknown, completion: Completion) => unknown;
type CompleteObject = (source: Entity, completion: Completion) => Entity | undefined;

export interface ShapeOptions {
  /** What clients see. */
  schema: GraphQLSchema;
  /** Everything, what clients do not see included. */
  supergraphSchema: GraphQLSchema;
  fragments: Fragments;
  isIncluded: IsIncluded;
  /** What clients call a response name, where they call it something else. */
  clientNames: ReadonlyMap<string, string>;
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
    const compiled = known.get(key) ?? compileObject(type, selectionSets);
    known.set(key, compiled);
    return compiled;
  }

  function compileObject(
    type: GraphQLCompositeType,
    selectionSets: readonly SelectionSetNode[],
  ): CompleteObject {
    const fields = collectFields(schema, type, selectionSets, options);
    const keys = [...fields.keys()];
    const sources = [...fields.values()].map(([node]) => responseName(node as FieldNode));
    const completes = [...fields.values()].map((nodes) => compileField(type, nodes));
    return [...keys, ...sources].some((key) => key in Object.prototype)
      ? completeCarefully(keys, sources, completes)
      : completeQuickly(keys, sources, completes);
  }

  function compileField(type: GraphQLCompositeType, nodes: readonly FieldNode[]): Complete {
    const name = nodes[0]?.name.value ?? '';
    // An object that says it is of an abstract type is one that nobody knows the type of.
    if (name === '__typename') return isObjectType(type) ? () => type.name : () => undefined;
    const field = isUnionType(type) ? undefined : type.getFields()[name];
    // Introspection: the answer has it already.
    if (!field) return (value) => value ?? null;
    const selectionSets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    return compileValue(field.type, selectionSets);
  }

  function compileValue(type: GraphQLOutputType, selectionSets: readonly SelectionSetNode[]): Complete {
    if (isNonNullType(type)) {
      const complete = compileValue(type.ofType, selectionSets);
      return (value, completion) => {
        const completed = complete(value, completion);
        if (completed !== null) return completed;
        completion.isMissing = true;
        return undefined;
      };
    }
    if (isListType(type)) return completeList(compileValue(type.ofType, selectionSets));
    if (isCompositeType(type)) {
      return isAbstractType(type)
        ? completeAbstract(type, selectionSets)
        : completeEntity(lazily(() => objectOf(type, selectionSets)));
    }
    const test = leafTest(type);
    const whole = supergraphSchema.getType(type.name);
    const isHidden = isEnumType(whole) ? leafTest(whole) : () => false;
    return (value, completion) => {
      if (value === null || value === undefined) return null;
      if (test(value)) return value;
      // What is kept from clients is nobody's fault.
      return isHidden(value) ? null : wrong(completion);
    };
  }

  function completeAbstract(
    type: GraphQLCompositeType,
    selectionSets: readonly SelectionSetNode[],
  ): Complete {
    const byName = new Map<unknown, CompleteObject | undefined>();
    const find = (typename: unknown): CompleteObject | undefined => {
      if (byName.has(typename)) return byName.get(typename);
      const named = typeof typename === 'string' ? schema.getType(typename) : undefined;
      const found = isCompositeType(named) ? objectOf(named, selectionSets) : undefined;
      if (found) byName.set(typename, found);
      return found;
    };
    const untold = lazily(() => objectOf(type, selectionSets));
    return (value, completion) => {
      if (value === null || value === undefined) return null;
      if (!isEntity(value)) return wrong(completion);
      const typename = value['__typename'];
      const complete = typename === undefined || typename === null ? untold : find(typename);
      if (complete) return complete(value, completion) ?? null;
      const isHidden = typeof typename === 'string' && supergraphSchema.getType(typename);
      return isHidden ? null : wrong(completion);
    };
  }

  return objectOf(options.type, [options.selectionSet]);
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

const completeEntity =
  (complete: CompleteObject): Complete =>
  (value, completion) => {
    if (value === null || value === undefined) return null;
    return isEntity(value) ? (complete(value, completion) ?? null) : wrong(completion);
  };

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

/** `sources` are the names under which the values of `keys` were fetched. */
function completeQuickly(
  keys: readonly string[],
  sources: readonly string[],
  completes: readonly Complete[],
): CompleteObject {
  return (source, completion) => {
    const { path } = completion;
    const object: Entity = {};
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] as string;
      path?.push(key);
      const value = (completes[index] as Complete)(source[sources[index] as string], completion);
      path?.pop();
      if (value === undefined) return undefined;
      object[key] = value;
    }
    return object;
  };
}

/** Some alias is a name that every object has, such as `constructor`. */
function completeCarefully(
  keys: readonly string[],
  sources: readonly string[],
  completes: readonly Complete[],
): CompleteObject {
  return (source, completion) => {
    const object: Entity = {};
    for (const [index, key] of keys.entries()) {
      completion.path?.push(key);
      const value = (completes[index] as Complete)(own(source, sources[index] as string), completion);
      completion.path?.pop();
      if (value === undefined) return undefined;
      put(object, key, value);
    }
    return object;
  };
}
