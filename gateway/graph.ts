import { setImmediate as afterThis } from 'node:timers/promises';
import type { Executor } from '../platform/config.js';
import type { Log } from '../platform/log.js';
import type { Connection, Connections } from './connections.js';
import { startApolloEngine } from './execute/apollo/engine.js';
import { createCompiledEngine } from './execute/compiled.js';
import type { Engine } from './execute/engine.js';
import type { LoadedSupergraph } from './supergraph.js';

/** A supergraph that is served, and everything that serves it. */
export interface Graph {
  supergraph: LoadedSupergraph;
  engine: Engine;
  connections: ReadonlyMap<string, Connection>;
  /** What its subgraphs lack; nothing where all are ready. */
  missing(): string[];
  /** Something begins that uses it; call `leave` when that is over. */
  enter(): void;
  leave(): void;
  /** Closes it as soon as nothing uses it any more. */
  retire(): Promise<void>;
}

export interface GraphOptions {
  connections: Connections;
  executor: Executor;
  introspection: boolean;
  log: Log;
}

/** Opens what a supergraph needs. @throws Error where its engine cannot be made; nothing stays open then */
export async function openGraph(supergraph: LoadedSupergraph, options: GraphOptions): Promise<Graph> {
  const opened = supergraph.subgraphs.map((subgraph) => ({
    name: subgraph.name,
    ...options.connections.open(subgraph),
  }));
  const release = async () => void (await Promise.all(opened.map((each) => each.release())));
  const connections = new Map(opened.map(({ name, connection }) => [name, connection]));
  const sources = new Map(opened.map(({ name, connection }) => [name, connection.source]));
  const engine = await startEngine(supergraph, sources, options).catch(async (error: unknown) => {
    await release();
    throw error;
  });
  let users = 0;
  let onUnused: (() => void) | undefined;

  return {
    supergraph,
    engine,
    connections,
    missing: () => [...connections.values()].flatMap(({ readiness }) => readiness.missing()),
    enter: () => void users++,
    leave() {
      users--;
      if (users === 0) onUnused?.();
    },
    async retire() {
      // What has been read on it and not begun begins first.
      await afterThis();
      if (users > 0) await new Promise<void>((resolve) => (onUnused = resolve));
      await engine.close();
      await release();
    },
  };
}

async function startEngine(
  graph: LoadedSupergraph,
  sources: Parameters<typeof createCompiledEngine>[0]['sources'],
  { executor, introspection, log }: GraphOptions,
): Promise<Engine> {
  const parts = { graph, sources, introspection, log };
  return executor === 'apollo' ? startApolloEngine(parts) : createCompiledEngine(parts);
}
