import {
  defaultTypeResolver,
  type FieldNode,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLLeafType,
  type GraphQLList,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  isAbstractType,
  isListType,
  isNonNullType,
  isObjectType,
  locatedError,
  responsePathAsArray,
} from 'graphql';
import { inspect } from 'graphql/jsutils/inspect.js';
import { objectTypeOf } from './abstract.js';
import { serializer } from './leaf.js';
import type { Plan, Selection } from './plan.js';
import { isPromise, type Path, type Run } from './run.js';

/**
 * Makes of what a resolver gave what stands in the answer (CompleteValue of the specification), or a promise of
 * it; throws, or rejects, where that fails. A leaf never looks at its path.
 */
export type Complete = (run: Run, value: unknown, path: Path) => unknown;

/** What completing needs to know of its field. */
export interface FieldPlan {
  readonly plan: Plan;
  readonly nodes: readonly FieldNode[];
  /** As `Type.field`. */
  readonly label: string;
  info(run: Run, path: Path): GraphQLResolveInfo;
}

/** Tells an error at its place, which becomes null; or passes it on, located, where that may not be null. */
export type Fail = (run: Run, error: unknown, path: Path) => null;

export const failing =
  (nodes: readonly FieldNode[], type: GraphQLOutputType): Fail =>
  (run, error, path) => {
    const located = locatedError(
      error,
      nodes,
      responsePathAsArray(path as Parameters<typeof responsePathAsArray>[0]),
    );
    if (isNonNullType(type)) throw located;
    run.errors.add(located, path);
    return null;
  };

/** `depth` is how many lists of the field the type stands in. */
export function completer(type: GraphQLOutputType, field: FieldPlan, depth = 0): Complete {
  const complete = completerOfValue(isNonNullType(type) ? type.ofType : type, field, depth);
  const isNullable = !isNonNullType(type);
  return (run, value, path) => {
    if (value === null || value === undefined) {
      if (isNullable) return null;
      throw new Error(`Cannot return null for non-nullable field ${field.label}.`);
    }
    if (typeof value === 'object' && value instanceof Error) throw value;
    return complete(run, value, path);
  };
}

type NullableType =
  | GraphQLLeafType
  | GraphQLObjectType
  | GraphQLAbstractType
  | GraphQLList<GraphQLOutputType>;

function completerOfValue(type: NullableType, field: FieldPlan, depth: number): Complete {
  if (isListType(type)) return ofList(type.ofType, field, depth);
  if (isAbstractType(type)) return ofAbstract(type, field, depth);
  if (isObjectType(type)) return ofObject(type, field, depth);
  const serialize = serializer(type);
  return (_run, value) => serialize(value);
}

function ofList(type: GraphQLOutputType, field: FieldPlan, depth: number): Complete {
  const complete = completer(type, field, depth + 1);
  const fail = failing(field.nodes, type);

  function completeItem(run: Run, item: unknown, path: Path): unknown {
    try {
      const done = isPromise(item)
        ? item.then((value) => complete(run, value, path))
        : complete(run, item, path);
      return isPromise(done) ? done.then(undefined, (error) => fail(run, error, path)) : done;
    } catch (error) {
      return fail(run, error, path);
    }
  }

  return (run, value, path) => {
    if (!isIterable(value))
      throw new GraphQLError(`Expected Iterable, but did not find one for field "${field.label}".`);
    const completed: unknown[] = [];
    let waits = false;
    try {
      for (const item of value) {
        const done = completeItem(run, item, { prev: path, key: completed.length, typename: undefined });
        waits ||= isPromise(done);
        completed.push(done);
      }
    } catch (error) {
      // Nobody waits for the others any more: that they fail too must not end the process.
      for (const other of completed) if (isPromise(other)) other.then(undefined, () => {});
      throw error;
    }
    return waits ? Promise.all(completed) : completed;
  };
}

/** Anything that can be gone through but a text. */
const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function';

function ofObject(type: GraphQLObjectType, field: FieldPlan, depth: number): Complete {
  const { plan, nodes } = field;
  let selection: Selection | undefined;
  const invalid = (value: unknown) =>
    new GraphQLError(`Expected value of type "${type.name}" but got: ${inspect(value)}.`, { nodes });
  return (run, value, path) => {
    selection ??= plan.select(type, nodes);
    const select = selection;
    if (!type.isTypeOf) return select(run, value, path);
    const isIt = type.isTypeOf(value, run.contextValue, field.info(run, above(path, depth)));
    if (isPromise(isIt)) {
      return isIt.then((is) => {
        if (!is) throw invalid(value);
        return select(run, value, path);
      });
    }
    if (!isIt) throw invalid(value);
    return select(run, value, path);
  };
}

function ofAbstract(type: GraphQLAbstractType, field: FieldPlan, depth: number): Complete {
  const objects = new Map<unknown, Complete>();
  return (run, value, path) => {
    const info = field.info(run, above(path, depth));
    const resolveType = type.resolveType ?? defaultTypeResolver;
    const completeAs = (name: unknown): unknown => {
      let complete = objects.get(name);
      if (!complete) {
        complete = ofObject(objectTypeOf(name, type, value, info), field, depth);
        objects.set(name, complete);
      }
      return complete(run, value, path);
    };
    const name: unknown = resolveType(value, run.contextValue, info, type);
    return isPromise(name) ? name.then(completeAs) : completeAs(name);
  };
}

/** The path of the field of an item's path. */
function above(path: Path, depth: number): Path {
  let at = path;
  for (let lists = depth; lists > 0; lists--) at = at.prev as Path;
  return at;
}
