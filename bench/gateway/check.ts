import { isDeepStrictEqual } from 'node:util';
import { type BenchQuery, bodyOf } from './queries.js';
import type { Stage } from './stage.js';

/** What a contestant answered to every variant of a query. */
export interface Answers {
  /** Of `{ data }`, parsed. */
  data: unknown[];
  /** In bytes. */
  lengths: number[];
  fetchesEach: number;
}

/**
 * Asks each variant once, one after the other, and counts the fetches.
 * @throws Error where an answer is none, has errors, or the token did not reach the subgraphs
 */
export async function ask(stage: Stage, port: number, query: BenchQuery): Promise<Answers> {
  const before = await stage.counts();
  const data: unknown[] = [];
  const lengths: number[] = [];
  for (const variables of query.variables) {
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: stage.headers,
      body: bodyOf(query, variables),
    });
    const text = await response.text();
    const answer = response.ok ? JSON.parse(text) : {};
    if (!answer.data || answer.errors) throw new Error(`HTTP ${response.status} ${text.slice(0, 500)}`);
    data.push(answer.data);
    lengths.push(Buffer.byteLength(text));
  }
  const { fetches, withoutToken } = await stage.counts();
  if (withoutToken > before.withoutToken) throw new Error('a fetch had no token');
  return { data, lengths, fetchesEach: (fetches - before.fetches) / query.variables.length };
}

/** Says where the first difference of two answers is, or undefined; the order of members is of no account. */
export function difference(is: unknown, should: unknown, path = 'data'): string | undefined {
  if (isDeepStrictEqual(is, should)) return undefined;
  if (isParent(is) && isParent(should) && Array.isArray(is) === Array.isArray(should)) {
    for (const key of new Set([...Object.keys(should), ...Object.keys(is)])) {
      const inner = difference(is[key], should[key], `${path}.${key}`);
      if (inner !== undefined) return inner;
    }
  }
  return `${path} is ${show(is)}, not ${show(should)}`;
}

const isParent = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const show = (value: unknown): string => (JSON.stringify(value) ?? 'missing').slice(0, 80);
