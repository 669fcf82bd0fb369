import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { z } from 'zod';
import type { SubgraphAddress } from './supergraph.js';

const intervalMs = 1_000;
const timeoutMs = 2_000;

/** Knows which subgraphs answer; asked every second, so that asking costs them nothing however often it is read. */
export interface Readiness {
  /** The names of the subgraphs that did not answer when last asked; all of them before the first answer. */
  missing(): string[];
  isMissing(name: string): boolean;
  stop(): Promise<void>;
}

/**
 * Asks every subgraph over and over whether it is ready: GET /health/ready beside its GraphQL endpoint, or, of
 * one that has no such page, `{ __typename }`. It has connections of its own, or it would wait behind the
 * fetches of a subgraph that hangs. `onReady` is told of each that had been missing.
 */
export function watchSubgraphs(
  subgraphs: readonly SubgraphAddress[],
  onReady: (name: string) => void,
): Readiness {
  const connections = new Agent({ connections: 1, connect: { timeout: timeoutMs } });
  const missing = new Map(subgraphs.map(({ name }) => [name, [name]]));
  const stopped = new AbortController();

  async function watch(subgraph: SubgraphAddress): Promise<void> {
    while (!stopped.signal.aborted) {
      const before = missing.get(subgraph.name)?.length;
      const now = await missingOf(subgraph, connections, stopped.signal);
      missing.set(subgraph.name, now);
      if (before !== 0 && now.length === 0) onReady(subgraph.name);
      await sleep(intervalMs, undefined, { signal: stopped.signal, ref: false }).catch(() => undefined);
    }
  }

  for (const subgraph of subgraphs) void watch(subgraph);
  return {
    isMissing: (name) => missing.get(name)?.length !== 0,
    missing: () => [...missing.values()].flat(),
    async stop() {
      stopped.abort();
      await connections.destroy();
    },
  };
}

/** What a subgraph lacks, in its own words where it has some, else its name; nothing where it is ready. */
async function missingOf(
  { name, url }: SubgraphAddress,
  connections: Agent,
  stopped: AbortSignal,
): Promise<string[]> {
  const { origin, pathname, search } = new URL(url);
  const ask = async (request: { path: string; method: 'GET' | 'POST'; body?: string }) => {
    const { statusCode, body } = await connections.request({
      origin,
      ...request,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), stopped]),
    });
    if (statusCode === 503) return { statusCode, ...readyPage.parse(await body.json()) };
    await body.dump();
    return { statusCode, missing: [name] };
  };
  try {
    const page = await ask({ path: '/health/ready', method: 'GET' });
    if (page.statusCode === 200) return [];
    if (page.statusCode !== 404) return page.missing;
    const answer = await ask({ path: pathname + search, method: 'POST', body: '{"query":"{__typename}"}' });
    return answer.statusCode === 200 ? [] : [name];
  } catch {
    return [name];
  }
}

/** What platform/http.ts answers while parts are missing. */
const readyPage = z.object({ missing: z.array(z.string().max(100)).min(1).max(20) });
