import type { FetchNode } from '@apollo/query-planner';
import type { GraphQLFormattedError } from 'graphql';
import { problem } from '../../platform/errors.js';
import type { GatewayContext } from '../context.js';
import type { Repeated } from './completion.js';
import { type Entity, merge, put } from './entity.js';
import { compileIdle } from './idle.js';
import type { Parts } from './parts.js';
import { collect, commonPlace, locate, type Path, type Place } from './paths.js';
import { compileRepresentation, type Types } from './representation.js';
import { compileReplace, compileRewrites, type Replace, type Rewrite } from './rewrites.js';
import type { IsIncluded } from './selections.js';
import type { SubgraphSource } from './source.js';
import { failureOf, mostErrors } from './subgraph-errors.js';
import type { KeyTest } from './types.js';

/** One execution of a plan. */
export interface Run {
  /** What is known so far; fetches write into it. */
  readonly root: Entity;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly context: GatewayContext;
  readonly errors: GraphQLFormattedError[];
  /** What was asked for by fetches that share their entities, by the name of what they share. */
  readonly shared: Map<string, Asked>;
  /** Objects of which a subgraph told nothing when it was asked: it does not know them, or said why. */
  readonly untold: Set<Entity>;
  /** Objects that stand in more than one place, and what they were completed to. */
  readonly repeated: Repeated;
}

/** Does its part of a plan, or is through with it at once. It never rejects: what fails is in `errors`. */
export type Step = (run: Run) => Promise<void> | undefined;

/** What a plan says about variables: the value of a `Boolean!` one, its default included. */
export type ReadCondition = (variables: Readonly<Record<string, unknown>>, name: string) => boolean;

export interface FetchEnvironment {
  condition: ReadCondition;
  sources: ReadonlyMap<string, SubgraphSource>;
  types: Types;
  /** Whether fields of these names hold a key by which a subgraph is asked about a type. */
  hasKey: KeyTest;
  /** What conditions leave of the operation. */
  includedFor: (variables: Readonly<Record<string, unknown>>) => IsIncluded;
  /** What a fetch asks of entities at a path that may lack what some of its fields require. */
  partsOf: (node: FetchNode, path: Path) => Parts | undefined;
  /** Whether another fetch of the plan asks the same of the same entities. */
  isShared: (node: FetchNode) => boolean;
  /** Whether no two fetches answer with the objects at a path as part of what holds them. */
  isFetchedOnce: (path: Path) => boolean;
}

/** Compiles a fetch whose answer belongs to the objects at `path`. */
export function compileFetch(node: FetchNode, path: Path, environment: FetchEnvironment): Step {
  const parts = environment.partsOf(node, path);
  if (!parts) return compilePart(node, path, environment);
  const steps = new Map<FetchNode, PartStep>();
  const stepOf = (part: FetchNode): PartStep => {
    const known = steps.get(part);
    if (known) return known;
    const step = compilePart(part, path, environment);
    steps.set(part, step);
    return step;
  };
  return async (run) => {
    const partFor = parts.by(environment.includedFor(run.variables), run.untold);
    const partOf = new Map<Entity, FetchNode>();
    collect(run.root, path, run.repeated, (object) => {
      const part = partFor(object);
      if (part) partOf.set(object, part);
    });
    await Promise.all(
      [...new Set(partOf.values())].map((part) => stepOf(part)(run, (entity) => partOf.get(entity) === part)),
    );
  };
}

type IsMeant = (entity: Entity) => boolean;

/** Does a part of a fetch, for the entities that are meant. */
type PartStep = (run: Run, isMeant?: IsMeant) => ReturnType<Step>;

function compilePart(node: FetchNode, path: Path, environment: FetchEnvironment): PartStep {
  const source = environment.sources.get(node.serviceName);
  if (!source) throw new Error(`the plan fetches from '${node.serviceName}', which is no subgraph`);
  const request = compileRequest(node, source);
  const rewrite = compileRewrites(node.outputRewrites, environment.types.isType);
  const replace = compileReplace(node.outputRewrites);
  if (!node.requires) return compileRootFetch(path, { request, rewrite, replace, types: environment.types });
  const step = compileEntityFetch(node, path, { request, rewrite, replace, environment });
  const isIdle = compileIdle(node, environment);
  return isIdle ? (run, isMeant) => (isIdle(run.variables) ? undefined : step(run, isMeant)) : step;
}

/** Sends a fetch; `representations` are those of its entities, where it asks for entities. */
type Request = (run: Run, representations?: readonly string[]) => ReturnType<SubgraphSource['fetch']>;

function compileRequest(node: FetchNode, source: SubgraphSource): Request {
  if (node.requires && node.variableUsages?.includes('representations'))
    throw problem(
      'GRAPHQL_VALIDATION_FAILED',
      'Fetches have a variable $representations of their own here: call yours something else.',
    );
  const start = `{"query":${JSON.stringify(node.operation)}${
    node.operationName === undefined ? '' : `,"operationName":${JSON.stringify(node.operationName)}`
  },"variables":{`;
  const usages = (node.variableUsages ?? []).map((name) => ({ name, key: `${JSON.stringify(name)}:` }));
  const isQuery = node.operationKind === 'query';

  return (run, representations) => {
    let variables = '';
    for (const { name, key } of usages) {
      const value = Object.hasOwn(run.variables, name) ? run.variables[name] : undefined;
      if (value !== undefined) variables += `${variables && ','}${key}${JSON.stringify(value)}`;
    }
    if (representations) variables += `${variables && ','}"representations":[${representations.join(',')}]`;
    return source.fetch(
      {
        body: `${start}${variables}}}`,
        isQuery,
        entities: representations?.length,
        name: node.operationName,
      },
      run.context,
    );
  };
}

/** What a fetch sends, and what is done with what it receives. */
interface Compiled {
  request: Request;
  rewrite: Rewrite | undefined;
  replace: Replace;
}

function compileRootFetch(path: Path, fetch: Compiled & Pick<FetchEnvironment, 'types'>): Step {
  return async (run) => {
    const targets: Entity[] = [];
    collect(run.root, path, run.repeated, (object) => targets.push(object));
    if (targets.length === 0) return;
    try {
      const { data, errors } = await fetch.request(run);
      const placed: PlacedError[] = [];
      for (const error of errors ?? [])
        if (error.path) placed.push({ ...error, path: fetch.replace([...error.path]) });
        else run.errors.push(error);
      if (placed.length > 0) placeErrors(run, path, new Map(targets.map((target) => [target, placed])));
      if (!data) {
        for (const target of targets) run.untold.add(target);
        return;
      }
      fetch.rewrite?.(data);
      for (const [index, target] of targets.entries()) merge(target, data, index > 0, fetch.types.isObject);
    } catch (error) {
      run.errors.push(failureOf(error));
    }
  };
}

/** An error with its path below an object. */
type PlacedError = GraphQLFormattedError & { path: Place };

/** Says of errors where in the answer they are: in each place of each object, as far as an answer has room for errors. */
function placeErrors(run: Run, path: Path, faulty: ReadonlyMap<Entity, readonly PlacedError[]>): void {
  if (faulty.size === 0) return;
  for (const [object, places] of locate(run.root, path, faulty, mostErrors)) {
    for (const error of faulty.get(object) ?? []) {
      for (const place of places) {
        if (run.errors.length >= mostErrors) return;
        run.errors.push({ ...error, path: [...place, ...error.path] });
      }
    }
  }
}

/** What one request asked of a subgraph, and what came back. */
interface Batch {
  representations: string[];
  entities: readonly (Entity | null)[];
  /** Errors that are about one entity, by its index. */
  errors: Map<number, PlacedError[]>;
  done: Promise<void> | undefined;
}

/** Where the answer for a representation is, or will be. */
interface Answer {
  batch: Batch;
  index: number;
}

/** Entities of one representation. */
interface Same extends Answer {
  first: Entity;
  /** Whether the first had nothing but its representation when it was found. */
  isBare: boolean;
  /** Those that have more than that, and so may differ. */
  others: Entity[] | undefined;
  /** Whether the first is known to stand in several places. */
  isRepeated: boolean;
}

/** The answers of fetches that share them, by representation. */
export type Asked = Map<string, Answer>;

/**
 * Equal representations are asked for once, and where objects have nothing else, one of them takes the place of
 * all: whatever is fetched for it later is then fetched, merged and completed once. Not so where another fetch
 * answers what holds them with more of each, which may differ by holder. Where another fetch of the
 * plan asks the same of the same type, the answers are shared in the whole request.
 */
function compileEntityFetch(
  node: FetchNode,
  path: Path,
  fetch: Compiled & { environment: FetchEnvironment },
): PartStep {
  const { types, hasKey, isShared, isFetchedOnce } = fetch.environment;
  const representation = compileRepresentation(
    node.requires ?? [],
    types,
    compileRewrites(node.inputRewrites, types.isType),
    (...of) => hasKey(node.serviceName, ...of),
  );
  const { size } = representation;
  const mayStandForAll = path.includes('@') && isFetchedOnce(path);
  const sharedAs = isShared(node) ? nameOfShared(node) : undefined;

  return async (run, isMeant) => {
    const batch: Batch = { representations: [], entities: [], errors: new Map(), done: undefined };
    const wanted = gather(run, batch, isMeant);
    if (batch.representations.length > 0) batch.done = load(run, batch);
    if (sharedAs === undefined) await batch.done;
    else for (const { done } of new Set([...wanted.values()].map((same) => same.batch))) await done;

    for (const { batch: answered, index, first, others } of wanted.values()) {
      const entity = answered.entities[index];
      if (!entity) {
        for (const object of others ? [first, ...others] : [first]) run.untold.add(object);
        continue;
      }
      if (others) for (const other of others) merge(other, entity, true, types.isObject);
      merge(first, entity, sharedAs !== undefined, types.isObject);
    }
    placeErrors(run, path, faultyOf(wanted));
  };

  /** Finds the entities to ask for; those that nobody has asked for yet are put into the batch. */
  function gather(run: Run, batch: Batch, isMeant: IsMeant | undefined): Map<unknown, Same> {
    const wanted = new Map<unknown, Same>();
    const asked = sharedAs === undefined ? undefined : askedOf(run, sharedAs);
    collect(run.root, path, run.repeated, (object, holder, at) => {
      if (isMeant && !isMeant(object)) return;
      const key = keyOf(run, object);
      if (key === undefined) return;
      const same = wanted.get(key);
      if (!same) {
        const { batch: asks, index } = answerFor(representation.jsonOf(object), batch, asked);
        const isBare = mayStandForAll && hasFields(object, size);
        wanted.set(key, { batch: asks, index, first: object, isBare, others: undefined, isRepeated: false });
      } else if (same.first === object) repeat(run, same);
      else if (same.isBare && hasFields(object, size)) {
        put(holder as Entity, at as string, same.first);
        repeat(run, same);
      } else if (same.others) same.others.push(object);
      else same.others = [object];
    });
    return wanted;
  }

  /** What is nested without end has no key: whoever answered it is at fault, and this fetch goes on without it. */
  function keyOf(run: Run, object: Entity): unknown {
    try {
      return representation.keyOf(object);
    } catch (error) {
      run.errors.push(failureOf(error));
      return undefined;
    }
  }

  async function load(run: Run, batch: Batch): Promise<void> {
    try {
      const { data, errors } = await fetch.request(run, batch.representations);
      for (const error of errors ?? []) {
        const index = indexOf(error, batch.representations.length);
        if (index !== undefined) {
          const placed = { ...error, path: fetch.replace(error.path?.slice(2) ?? []) };
          const others = batch.errors.get(index);
          if (others) others.push(placed);
          else batch.errors.set(index, [placed]);
        } else run.errors.push(error.path ? { ...error, path: commonPlace(path) } : error);
      }
      if (!data) return;
      batch.entities = data['_entities'] as (Entity | null)[];
      if (!fetch.rewrite) return;
      for (const [index, entity] of batch.entities.entries()) {
        if (!entity) continue;
        // The rewrites go by types, which an answer need not repeat.
        entity['__typename'] ??= (JSON.parse(batch.representations[index] as string) as Entity)['__typename'];
        fetch.rewrite(entity);
      }
    } catch (error) {
      run.errors.push(failureOf(error));
    }
  }
}

/** The objects that errors are about. */
function faultyOf(wanted: ReadonlyMap<unknown, Same>): Map<Entity, readonly PlacedError[]> {
  const faulty = new Map<Entity, readonly PlacedError[]>();
  for (const { batch, index, first, others } of wanted.values()) {
    const errors = batch.errors.get(index);
    if (errors) for (const object of others ? [first, ...others] : [first]) faulty.set(object, errors);
  }
  return faulty;
}

/** Which of so many entities an error is about; undefined where it is about none of them. */
function indexOf({ path }: GraphQLFormattedError, entities: number): number | undefined {
  const [field, index] = path ?? [];
  if (field !== '_entities' || typeof index !== 'number') return undefined;
  return Number.isInteger(index) && index >= 0 && index < entities ? index : undefined;
}

/** Where a representation has been asked for, or is from now on. */
function answerFor(json: string, batch: Batch, asked: Asked | undefined): Answer {
  const known = asked?.get(json);
  if (known) return known;
  const answer = { batch, index: batch.representations.push(json) - 1 };
  asked?.set(json, answer);
  return answer;
}

function askedOf(run: Run, name: string): Asked {
  const known = run.shared.get(name) ?? new Map();
  run.shared.set(name, known);
  return known;
}

function repeat(run: Run, same: Same): void {
  if (same.isRepeated) return;
  same.isRepeated = true;
  if (!run.repeated.has(same.first)) run.repeated.set(same.first, new Map());
}

/** Whether an object has exactly so many fields. */
function hasFields(object: Entity, size: number): boolean {
  let left = size;
  for (const _key in object) if (--left < 0) return false;
  return left === 0;
}

/** Fetches of one name give the same answer to the same representation. */
export function nameOfShared({ serviceName, operation, outputRewrites = [] }: FetchNode): string {
  const unnamed = operation.replace(/^query \w+/, 'query');
  return JSON.stringify([serviceName, unnamed, outputRewrites]);
}
