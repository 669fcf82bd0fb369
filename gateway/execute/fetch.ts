import type { FetchNode } from '@apollo/query-planner';
import type { GraphQLFormattedError } from 'graphql';
import type { GatewayContext } from '../context.js';
import { type Entity, merge } from './entity.js';
import { collect, locate, type Path } from './paths.js';
import { compileRepresentation } from './representation.js';
import { compileRewrites, type Rewrite } from './rewrites.js';
import type { SubgraphSource } from './source.js';
import { failureOf } from './subgraph-errors.js';
import type { TypeTest } from './types.js';

/** One execution of a plan. */
export interface Run {
  /** What is known so far; fetches write into it. */
  readonly root: Entity;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly context: GatewayContext;
  readonly errors: GraphQLFormattedError[];
  /** What was asked for by fetches that share their entities, by the name of what they share. */
  readonly shared: Map<string, Asked>;
}

/** Does its part of a plan, or is through with it at once. It never rejects: what fails is in `errors`. */
export type Step = (run: Run) => Promise<void> | undefined;

export interface FetchEnvironment {
  sources: ReadonlyMap<string, SubgraphSource>;
  isType: TypeTest;
  /** Whether another fetch of the plan asks the same of the same entities. */
  isShared: (node: FetchNode) => boolean;
}

/** Compiles a fetch whose answer belongs to the objects at `path`. */
export function compileFetch(node: FetchNode, path: Path, environment: FetchEnvironment): Step {
  const source = environment.sources.get(node.serviceName);
  if (!source) throw new Error(`the plan fetches from '${node.serviceName}', which is no subgraph`);
  const request = compileRequest(node, source);
  const rewrite = compileRewrites(node.outputRewrites, environment.isType);
  return node.requires
    ? compileEntityFetch(node, path, { request, rewrite, environment })
    : compileRootFetch(path, { request, rewrite });
}

/** Sends a fetch; `representations` are those of its entities, if it has any. */
type Request = (run: Run, representations?: readonly string[]) => ReturnType<SubgraphSource['fetch']>;

function compileRequest(node: FetchNode, source: SubgraphSource): Request {
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

function compileRootFetch(path: Path, fetch: { request: Request; rewrite: Rewrite | undefined }): Step {
  return async (run) => {
    const targets = path.length === 0 ? [run.root] : collect(run.root, path);
    if (targets.length === 0) return;
    try {
      const { data, errors } = await fetch.request(run);
      for (const error of errors ?? [])
        run.errors.push(error.path ? { ...error, path: [...path, ...error.path] } : error);
      if (!data) return;
      fetch.rewrite?.(data);
      for (const [index, target] of targets.entries()) merge(target, data, index > 0);
    } catch (error) {
      run.errors.push(failureOf(error));
    }
  };
}

/** What one request asked of a subgraph, and what came back. */
interface Batch {
  representations: string[];
  entities: readonly (Entity | null)[];
  /** Errors that are about one entity. */
  errors: { index: number; error: GraphQLFormattedError }[];
  done: Promise<void> | undefined;
}
interface Place {
  batch: Batch;
  index: number;
  isMerged: boolean;
}
/** Where the answer for a representation is, or will be. */
export type Asked = Map<string, Place>;

/**
 * Equal representations are asked for once. Where another fetch of the plan asks the same of the same type, they
 * are asked for once in the whole request.
 */
function compileEntityFetch(
  node: FetchNode,
  path: Path,
  fetch: { request: Request; rewrite: Rewrite | undefined; environment: FetchEnvironment },
): Step {
  const { isType, isShared } = fetch.environment;
  const represent = compileRepresentation(
    node.requires ?? [],
    isType,
    compileRewrites(node.inputRewrites, isType),
  );
  const sharedAs = isShared(node) ? nameOfShared(node) : undefined;

  return async (run) => {
    const targets: Entity[] = [];
    const places: Place[] = [];
    const asked: Asked = sharedAs === undefined ? new Map() : askedOf(run, sharedAs);
    const batch: Batch = { representations: [], entities: [], errors: [], done: undefined };
    for (const target of collect(run.root, path)) {
      const text = represent(target);
      if (text === undefined) continue;
      let place = asked.get(text);
      if (!place) {
        place = { batch, index: batch.representations.length, isMerged: false };
        batch.representations.push(text);
        asked.set(text, place);
      }
      targets.push(target);
      places.push(place);
    }
    if (batch.representations.length > 0) batch.done = load(run, batch);
    if (sharedAs === undefined) await batch.done;
    else await Promise.all([...new Set(places.map((place) => place.batch))].map(({ done }) => done));

    for (let index = 0; index < targets.length; index++) {
      const place = places[index] as Place;
      const entity = place.batch.entities[place.index];
      if (!entity) continue;
      merge(targets[index] as Entity, entity, sharedAs !== undefined || place.isMerged);
      place.isMerged = true;
    }
    placeErrors(run, targets, places);
  };

  async function load(run: Run, batch: Batch): Promise<void> {
    try {
      const { data, errors } = await fetch.request(run, batch.representations);
      for (const error of errors ?? []) {
        const index = error.path?.[1];
        if (typeof index === 'number') batch.errors.push({ index, error });
        else run.errors.push(error.path ? { ...error, path: [...path, ...error.path] } : error);
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

  /** Says of each error where in the answer it is: at every object that the entity stands for. */
  function placeErrors(run: Run, targets: readonly Entity[], places: readonly Place[]): void {
    if (!places.some(({ batch }) => batch.errors.length > 0)) return;
    const where = locate(run.root, path);
    for (const [at, { batch, index }] of places.entries()) {
      for (const failed of batch.errors) {
        if (failed.index !== index) continue;
        const rest = failed.error.path?.slice(2) ?? [];
        run.errors.push({ ...failed.error, path: [...(where.get(targets[at] as Entity) ?? []), ...rest] });
      }
    }
  }
}

function askedOf(run: Run, name: string): Asked {
  const known = run.shared.get(name) ?? new Map();
  run.shared.set(name, known);
  return known;
}

/** Fetches of one name give the same answer to the same representation. */
export function nameOfShared({ serviceName, operation, outputRewrites = [] }: FetchNode): string {
  const unnamed = operation.replace(/^query \w+/, 'query');
  return JSON.stringify([serviceName, unnamed, outputRewrites]);
}
