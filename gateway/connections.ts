import type { Rights } from '../platform/auth/rights.js';
import { createCaller } from '../platform/calls/caller.js';
import type { Log } from '../platform/log.js';
import { createReads } from './execute/reads.js';
import { type SubgraphSource, subgraphSource } from './execute/source.js';
import { openUpstream, type Upstream } from './live/upstream.js';
import { type Readiness, watchSubgraph } from './readiness.js';
import type { SubgraphAddress } from './supergraph.js';

/** Everything that leads to one subgraph. */
export interface Connection {
  source: SubgraphSource;
  upstream: Upstream;
  readiness: Readiness;
}

/**
 * The connections to subgraphs. Supergraphs that come one after the other share those to subgraphs that stay
 * where they are, with what is known of them: pools, circuit breakers, sockets.
 */
export interface Connections {
  /** Opens the connection, or shares an open one; the answer gives it back, and the last one closes it. */
  open(subgraph: SubgraphAddress): { connection: Connection; release(): Promise<void> };
}

export function createConnections(options: {
  log: Log;
  /** How long a fetch may take. */
  timeoutMs: number;
  /** How long a subscription waits for a subgraph that is away. */
  patienceMs: number;
  /** Whether equal reads that are under way are fetched once. */
  dedup: boolean;
  rights: Rights;
}): Connections {
  const { log, timeoutMs, patienceMs, rights } = options;
  const reads = options.dedup ? createReads() : undefined;
  const known = new Map<string, { connection: Connection; users: number; close(): Promise<void> }>();

  function connect(subgraph: SubgraphAddress) {
    const { name, url } = subgraph;
    const readiness = watchSubgraph(subgraph, () => caller.reset());
    const caller = createCaller({
      part: name,
      url,
      timeoutMs,
      log,
      isMissing: () => readiness.missing().length > 0,
    });
    const upstream = openUpstream(subgraph, { log, patienceMs, rights });
    return {
      connection: { source: subgraphSource(subgraph, { caller, log, reads }), upstream, readiness },
      users: 0,
      async close() {
        await readiness.stop();
        upstream.close();
        await caller.close();
      },
    };
  }

  return {
    open(subgraph) {
      const key = `${subgraph.name} ${subgraph.url}`;
      const entry = known.get(key) ?? connect(subgraph);
      known.set(key, entry);
      entry.users++;
      let isReleased = false;
      return {
        connection: entry.connection,
        async release() {
          if (isReleased) return;
          isReleased = true;
          if (--entry.users > 0) return;
          known.delete(key);
          await entry.close();
        },
      };
    },
  };
}
