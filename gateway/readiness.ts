import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import type { SubgraphAddress } from './supergraph.js';

const intervalMs = 1_000;
const timeoutMs = 2_000;

/** Knows which subgraphs answer; asked every second, so that asking costs them nothing however often it is read. */
export interface Readiness {
  /** The names of the subgraphs that did not answer when last asked; all of them before the first answer. */
  missing(): string[];
  stop(): Promise<void>;
}

/**
 * Asks every subgraph over and over whether it is ready: GET /health/ready beside its GraphQL endpoint, or, of
 * one that has no such page, `{ __typename }`. It has connections of its own, or it would wait behind the
 * fetches of a subgraph that hangs.
 */
export function watchSubgraphs(subgraphs: readonly SubgraphAddress[]): Readiness {
  const connections = new Agent({ connections: 1, connect: { timeout: timeoutMs } });
  const missing = new Set(subgraphs.map(({ name }) => name));
  const stopped = new AbortController();

  async function watch(subgraph: SubgraphAddress): Promise<void> {
    while (!stopped.signal.aborted) {
      if (await isReady(subgraph, connections, stopped.signal)) missing.delete(subgraph.name);
      else missing.add(subgraph.name);
      await sleep(intervalMs, undefined, { signal: stopped.signal, ref: false }).catch(() => undefined);
    }
  }

  for (const subgraph of subgraphs) void watch(subgraph);
  return {
    missing: () => subgraphs.map(({ name }) => name).filter((name) => missing.has(name)),
    async stop() {
      stopped.abort();
      await connections.destroy();
    },
  };
}

async function isReady({ url }: SubgraphAddress, connections: Agent, stopped: AbortSignal): Promise<boolean> {
  const { origin, pathname, search } = new URL(url);
  const ask = async (request: { path: string; method: 'GET' | 'POST'; body?: string }) => {
    const response = await connections.request({
      origin,
      ...request,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), stopped]),
    });
    await response.body.dump();
    return response.statusCode;
  };
  try {
    const status = await ask({ path: '/health/ready', method: 'GET' });
    if (status !== 404) return status === 200;
    return (await ask({ path: pathname + search, method: 'POST', body: '{"query":"{__typename}"}' })) === 200;
  } catch {
    return false;
  }
}
