import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Cancellation } from '../platform/calls/cancellation.js';
import { ask } from '../platform/calls/http1/ask.js';
import { createPool, type Pool } from '../platform/calls/http1/pool.js';
import { httpRequest, startOf } from '../platform/calls/http1/request.js';
import type { SubgraphAddress } from './supergraph.js';

const intervalMs = 1_000;
const timeoutMs = 2_000;
const idleMs = 30_000;
/** Bytes of an answer: pages of health are short. */
const mostOfAnswer = 1024 * 1024;

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
 * that has no such page (404, or what else its server says to that, as Apollo Server's 400), `{ __typename }`. It has
 * a connection of its own, or it would wait behind the fetches of a subgraph that hangs. `onReady` is told when the
 * subgraph had been missing.
 */
export function watchSubgraph(subgraph: SubgraphAddress, onReady: () => void): Readiness {
  const pool = createPool({
    origin: new URL(subgraph.url).origin,
    connections: 1,
    connectMs: timeoutMs,
    idleMs,
    limits: { answer: mostOfAnswer, room: { taken: 0, most: mostOfAnswer } },
  });
  const stopped = new AbortController();
  const cancellation = new Cancellation();
  let missing = [subgraph.name];
  let degraded: string[] = [];
  let tell = () => {};
  const known = new Promise<void>((resolve) => (tell = resolve));

  async function watch(): Promise<void> {
    while (!stopped.signal.aborted) {
      const now = await stateOf(subgraph, pool, cancellation);
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
      cancellation.cancel();
      await pool.close();
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
  pool: Pool,
  cancellation: Cancellation,
): Promise<State> {
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const say = (start: string, body = '') =>
    ask(pool, httpRequest(start, headers, body), { ms: timeoutMs, cancellation });
  const ready: State = { missing: [], degraded: [] };
  try {
    const page = await say(startOf('GET', new URL('/health/ready', url)));
    if (page.status === 503) return { ...ready, ...lackingPage.parse(JSON.parse(page.text)) };
    if (page.status === 200) return { ...ready, ...degradedOf(page.text) };
    if (page.status >= 500) return { ...ready, missing: [name] };
    const answer = await say(startOf('POST', new URL(url)), '{"query":"{__typename}"}');
    return answer.status === 200 ? ready : { ...ready, missing: [name] };
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
function degradedOf(page: string): Partial<State> {
  try {
    const { degraded } = readyPage.parse(JSON.parse(page));
    return degraded ? { degraded } : {};
  } catch {
    return {};
  }
}
