import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { z } from 'zod';
import type { SubgraphAddress } from './supergraph.js';

const intervalMs = 1_000;
const timeoutMs = 2_000;

/** Knows whether a subgraph answers; asked every second, so that asking costs it nothing however often it is read. */
export interface Readiness {
  /** What the subgraph lacked when last asked, its name before the first answer; nothing where it is ready. */
  missing(): string[];
  /** Resolves when it has been asked for the first time, whatever came of it. */
  known: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Asks a subgraph over and over whether it is ready: GET /health/ready beside its GraphQL endpoint, or, of one
 * that has no such page, `{ __typename }`. It has a connection of its own, or it would wait behind the fetches of
 * a subgraph that hangs. `onReady` is told when the subgraph had been missing.
 */
export function watchSubgraph(subgraph: SubgraphAddress, onReady: () => void): Readiness {
  const connections = new Agent({ connections: 1, connect: { timeout: timeoutMs } });
  const stopped = new AbortController();
  let missing = [subgraph.name];
  let tell = () => {};
  const known = new Promise<void>((resolve) => (tell = resolve));

  async function watch(): Promise<void> {
    while (!stopped.signal.aborted) {
      const now = await missingOf(subgraph, connections, stopped.signal);
      const isBack = missing.length > 0 && now.length === 0;
      missing = now;
      tell();
      if (isBack) onReady();
      await sleep(intervalMs, undefined, { signal: stopped.signal, ref: false }).catch(() => undefined);
    }
  }

  void watch();
  return {
    missing: () => missing,
    known,
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
