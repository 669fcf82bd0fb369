import { LRUCache } from 'lru-cache';
import Negotiator from 'negotiator';

const json = 'application/json; charset=utf-8';
/** The first is what who does not care gets. */
const types = [json, 'application/graphql-response+json; charset=utf-8'];

/** What clients accept is one of a few texts. */
const known = new LRUCache<string, { type: string | undefined }>({
  max: 100,
  maxEntrySize: 1_000,
  maxSize: 10_000,
  sizeCalculation: (_, accept) => accept.length,
});

/** The content type of an answer, by the request's `accept`; undefined where nothing of ours is accepted. */
export function mediaType(accept: string | undefined): string | undefined {
  if (!accept) return json;
  const before = known.get(accept);
  if (before) return before.type;
  const type = new Negotiator({ headers: { accept } }).mediaType(types);
  known.set(accept, { type });
  return type;
}
