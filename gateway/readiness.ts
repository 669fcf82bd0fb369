import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type Dispatcher } from 'undici';
import { z } from 'zod';
import type { SubgraphAddress } from './supergraph.js';

const intervalMs = 1_000;
const timeoutMs = 2_000;

/** Knows whether a subgraph answers; asked every second, so that asking costs it nothing however often it is read. */
export interface Readiness {
  /** What the subgraph lacked when last asked, its name before the first answer; nothing where it is ready. */
  missing(): string[];
  /** What it said that it does without. */
  degraded(): string[];
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
  let degraded: string[] = [];
  let tell = () => {};
  const known = new Promise<void>((resolve) => (tell = resolve));

  async function watch(): Promise<void> {
    while (!stopped.signal.aborted) {
      const now = await stateOf(subgraph, connections, stopped.signal);
      const isBack = missing.length > 0 && now.missing.length === 0;
      ({ missing, degraded } = now);
      tell();
      if (isBack) onReady();
      await sleep(intervalMs, undefined, { signal: stopped.signal, ref: false }).catch(() => undefined);
    }
  }

  void watch();
  return {
    missing: () => missing,
    degraded: () => degraded,
    known,
    async stop() {
      stopped.abort();
      await connections.destroy();
    },
  };
}

interface State {
  missing: string[];
  degraded: string[];
}

/** What a subgraph lacks and does without, in its own words where it has some; where it does not answer, it lacks itself. */
async function stateOf(
  { name, url }: SubgraphAddress,
  connections: Agent,
  stopped: AbortSignal,
): Promise<State> {
  const { origin, pathname, search } = new URL(url);
  const ask = (request: { path: string; method: 'GET' | 'POST'; body?: string }) =>
    connections.request({
      origin,
      ...request,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), stopped]),
    });
  const ready: State = { missing: [], degraded: [] };
  try {
    const page = await ask({ path: '/health/ready', method: 'GET' });
    if (page.statusCode === 503) return { ...ready, ...lackingPage.parse(await page.body.json()) };
    if (page.statusCode === 200) return { ...ready, ...(await degradedOf(page.body)) };
    await page.body.dump();
    if (page.statusCode !== 404) return { ...ready, missing: [name] };
    const answer = await ask({ path: pathname + search, method: 'POST', body: '{"query":"{__typename}"}' });
    await answer.body.dump();
    return answer.statusCode === 200 ? ready : { ...ready, missing: [name] };
  } catch {
    return { ...ready, missing: [name] };
  }
}

const parts = z.array(z.string().max(100)).min(1).max(20);
/** What platform/http.ts answers while parts are missing. */
const lackingPage = z.object({ missing: parts });
/** What it answers when none is. */
const readyPage = z.object({ degraded: parts.optional() });

/** Subgraphs of others may say whatever they like with their 200. */
async function degradedOf(body: Dispatcher.ResponseData['body']): Promise<Partial<State>> {
  const text = await body.text();
  try {
    const { degraded } = readyPage.parse(JSON.parse(text));
    return degraded ? { degraded } : {};
  } catch {
    return {};
  }
}
