import {
  defaultFieldResolver,
  type ExecutionResult,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isEnumType,
  isListType,
  isObjectType,
} from 'graphql';
import { fraction, hash } from '../random.js';
import { wrongLeaf } from './wrong-leaf.js';

/**
 * What goes wrong in a request. It is decided by what a value is (subgraph, thing, field, arguments) and never by
 * when or how often it is fetched, so that two gateways that fetch differently meet the same faults.
 */
export interface FaultPlan {
  /** Empty for no faults. */
  seed: string;
  /** The part of all fields that fail. */
  rate: number;
  /** Whether the names of types stay as they are. */
  sparesNames: boolean;
}

export const noFaults: FaultPlan = { seed: '', rate: 0, sparesNames: false };

/** A wrong value that graphql would not let out: it is put into the finished answer, at the path of its field. */
export interface Damage {
  path: readonly (string | number)[];
  /** Of the object at the path, in place of the value itself. */
  typename?: boolean;
  value: unknown;
}

interface Faulty {
  faults: FaultPlan;
  damage: Damage[];
}

type Resolver = GraphQLFieldResolver<{ _key?: string }, Faulty>;

/** Wraps every resolver of a subgraph, so that it fails where the plan of the request says so. */
export function withFaults(schema: GraphQLSchema, subgraph: string): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('_')) continue;
    for (const field of Object.values(type.getFields())) {
      if (field.name === '_service') continue;
      const resolve = (field.resolve ?? defaultFieldResolver) as Resolver;
      field.resolve = (
        field.name === '_entities' ? faultyEntities(resolve, subgraph) : faultyField(resolve, subgraph)
      ) as GraphQLFieldResolver<unknown, unknown>;
    }
  }
}

const faultyField =
  (resolve: Resolver, subgraph: string): Resolver =>
  (source, args, context, info) => {
    const { seed, rate } = context.faults;
    if (seed === '') return resolve(source, args, context, info);
    const place = `${seed} ${subgraph} ${source._key ?? ''} ${info.fieldName} ${JSON.stringify(args)}`;
    if (fraction(place) >= rate) return resolve(source, args, context, info);
    const kind = hash(`kind ${place}`);
    if (kind % 4 === 0) return null;
    if (kind % 4 === 1) throw failure(place, kind >>> 2);
    const value = resolve(source, args, context, info);
    const path = pathOf(info.path);
    context.damage.push(damageOf(path, info.returnType, kind >>> 2, place));
    return value;
  };

const faultyEntities =
  (resolve: Resolver, subgraph: string): Resolver =>
  async (source, args, context, info) => {
    const entities = (await resolve(source, args, context, info)) as ({ _key: string } | null)[];
    const { seed, rate } = context.faults;
    if (seed === '') return entities;
    return entities.map(async (given, index) => {
      const entity = await given;
      const place = `${seed} ${subgraph} ${entity?._key} _entities`;
      if (!entity || fraction(place) >= rate) return entity;
      const kind = hash(`kind ${place}`);
      if (kind % 3 === 0) return null;
      if (kind % 3 === 1) throw failure(place, kind >>> 2);
      const path = ['_entities', index];
      context.damage.push(
        kind & 4 ? badTypename(path, kind >>> 3) : { path, value: wrongLeaf(undefined, kind >>> 3) },
      );
      return entity;
    });
  };

/** Errors with a code and a message for clients, and errors that nobody meant for them. */
const failure = (place: string, kind: number): Error =>
  kind % 3 === 0
    ? new Error(`a bug at ${place}`)
    : new GraphQLError(`No ${hash(place) % 1000}.`, {
        extensions: { code: kind % 3 === 1 ? 'NOT_FOUND' : 'FORBIDDEN', field: 'x' },
      });

function damageOf(path: Damage['path'], type: GraphQLOutputType, kind: number, place: string): Damage {
  const named: GraphQLNamedType = getNamedType(type);
  if (isListType(getNullableType(type)) && kind % 2 === 0) {
    // The list itself, or what stands first in it.
    const within = kind & 2 ? [...path, 0] : path;
    return {
      path: within,
      value: kind & 4 ? { not: 'a list' } : kind & 8 ? null : `wrong ${hash(place) % 10}`,
    };
  }
  if (isCompositeType(named)) {
    return kind & 2
      ? badTypename(path, kind >>> 2)
      : { path, value: kind & 4 ? [{ in: 'a list' }] : 'wrong' };
  }
  return { path, value: isEnumType(named) && kind & 2 ? 'UNKNOWN' : wrongLeaf(named.name, kind >>> 2) };
}

const badTypename = (path: Damage['path'], kind: number): Damage => ({
  path,
  typename: true,
  value: ['Nothing', 'Money', 'Book', 'User', 'Product', 7, null, ''][kind % 8],
});

/** Puts wrong values into an answer, the deepest first; a place that is not there (any more) is passed over. */
export function applyDamage(result: ExecutionResult, damage: Damage[]): ExecutionResult {
  for (const { path, typename, value } of damage.sort((a, b) => b.path.length - a.path.length)) {
    let parent: unknown = result.data;
    for (const key of path.slice(0, -1)) parent = at(parent, key);
    const last = path.at(-1) as string | number;
    const old = at(parent, last);
    if (old === null || old === undefined) continue;
    if (!typename) (parent as Record<string | number, unknown>)[last] = value;
    else if (typeof old === 'object' && '__typename' in old) rename(old as Named, value);
  }
  return result;
}

type Named = Record<string, unknown> & { __typename: unknown };

/** Under whatever aliases the name of its type was asked for. */
function rename(object: Named, value: unknown): void {
  const { __typename: name } = object;
  for (const key of Object.keys(object)) if (object[key] === name) Object.assign(object, { [key]: value });
}

const at = (value: unknown, key: string | number): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string | number, unknown>)[key]
    : undefined;

interface Path {
  prev: Path | undefined;
  key: string | number;
}

function pathOf(path: Path): (string | number)[] {
  const keys: (string | number)[] = [];
  for (let step: Path | undefined = path; step; step = step.prev) keys.unshift(step.key);
  return keys;
}
