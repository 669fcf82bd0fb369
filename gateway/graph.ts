import { setImmediate as afterThis } from 'node:timers/promises';
import type { Executor } from '../platform/config.js';
import { errorFormatter } from '../platform/graphql/errors.js';
import type { Log } from '../platform/log.js';
import type { Connection, Connections } from './connections.js';
import { createCompiledEngine } from './execute/compiled.js';
import { type GuardedEngine, guardEngine, type OperationLimits } from './guard/guarded.js';
import { isKnownPolicy } from './guard/protection/policies.js';
import type { LoadedSupergraph } from './supergraph.js';

/** A supergraph that is served, and everything that serves it. */
export interface Graph {
  supergraph: LoadedSupergraph;
  engine: GuardedEngine;
  connections: ReadonlyMap<string, Connection>;
  /** What its subgraphs lack; nothing where all are ready. */
  missing(): string[];
  /** What its subgraphs do without, since it is away. */
  degraded(): string[];
  /** Resolves when it is known of each subgraph whether it answers. */
  known(): Promise<void>;
  /** Something begins that uses it; call `leave` when that is over. */
  enter(): void;
  leave(): void;
  /** Closes it as soon as nothing uses it any more; a second call waits for the same. */
  retire(): Promise<void>;
}

export interface GraphOptions {
  connections: Connections;
  executor: Executor;
  introspection: boolean;
  limits: OperationLimits;
  log: Log;
}

/** Opens what a supergraph needs. @throws Error where its engine cannot be made; nothing stays open then */
export async function openGraph(supergraph: LoadedSupergraph, options: GraphOptions): Promise<Graph> {
  const connections = new Map<string, Connection>();
  const releases: (() => Promise<void>)[] = [];
  const release = async () => void (await Promise.all(releases.map((each) => each())));
  let engine: GuardedEngine;
  try {
    for (const subgraph of supergraph.subgraphs) {
      const opened = options.connections.open(subgraph);
      connections.set(subgraph.name, opened.connection);
      releases.push(opened.release);
    }
    const sources = new Map([...connections].map(([name, { source }]) => [name, source]));
    engine = await startEngine(supergraph, sources, options);
  } catch (error) {
    await release();
    throw error;
  }
  let users = 0;
  let onUnused: (() => void) | undefined;
  let retired: Promise<void> | undefined;

  async function close(): Promise<void> {
    engine.forget();
    // What has been read on it and not begun begins first.
    await afterThis();
    if (users > 0) await new Promise<void>((resolve) => (onUnused = resolve));
    await engine.close();
    await release();
  }

  return {
    supergraph,
    engine,
    connections,
    missing: () => [...connections.values()].flatMap(({ readiness }) => readiness.missing()),
    degraded: () => [...connections.values()].flatMap(({ readiness }) => readiness.degraded()),
    known: async () =>
      void (await Promise.all([...connections.values()].map(({ readiness }) => readiness.known))),
    enter: () => void users++,
    leave() {
      users--;
      if (users === 0) onUnused?.();
    },
    retire() {
      retired ??= close();
      return retired;
    },
  };
}

async function startEngine(
  graph: LoadedSupergraph,
  sources: Parameters<typeof createCompiledEngine>[0]['sources'],
  { executor, introspection, limits, log }: GraphOptions,
): Promise<GuardedEngine> {
  const parts = { graph, sources, introspection, log };
  const engine =
    executor === 'apollo'
      ? // Loaded only where it is used: it is most of what a gateway would load.
        await (await import('./execute/apollo/engine.js')).startApolloEngine(parts)
      : createCompiledEngine(parts);
  const unknown = graph.protection?.policies.filter((policy) => !isKnownPolicy(policy)) ?? [];
  if (unknown.length > 0)
    log.warn(
      { service: 'gateway', policies: unknown },
      'nobody meets these policies of the supergraph: they are not known',
    );
  const format = errorFormatter('gateway', log, { suggestions: introspection });
  return guardEngine(engine, { graph, limits, introspection, format });
}
