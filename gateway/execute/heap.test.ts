import { expect, test } from 'vitest';
import { silent } from '../../platform/testing/log.js';
import { contextOf } from '../context.js';
import { loadSupergraph } from '../supergraph.js';
import { memoryInUse } from '../testing/garbage.js';
import { librarySupergraph } from '../testing/library.js';
import { createCompiledEngine } from './compiled.js';
import type { FetchRequest, SubgraphSource } from './source.js';

const kim = { __typename: 'Book', id: '1', title: 'Kim', author: { __typename: 'Author', id: 'a1' } };

/** A subgraph that answers from memory, with objects of their own each time. */
const sourceOf = (answer: (request: FetchRequest) => object): SubgraphSource => ({
  fetch: async (request) => ({ data: structuredClone(answer(request)) as Record<string, unknown> }),
});
const sources = new Map([
  ['books', sourceOf(() => ({ book: kim }))],
  ['authors', sourceOf(({ entities = 0 }) => ({ _entities: Array(entities).fill({ name: 'Kipling' }) }))],
]);

const documents = 3_500;
/** So many operations are kept. */
const kept = 2_000;
const few = 2_000;
const many = 20_000;

const documentOf = (number: number): string =>
  `query Heap${number}($more: Boolean!) { book(id: "${number}") { title author { name } id @include(if: $more) } }`;

/**
 * All documents come: at first each is new, until as many are kept as can be; then one in twelve is, and the others
 * are some that came before. `npm run bench:heap` does the same with ten times as many requests, to a process over HTTP.
 */
function documentFor(request: number): number {
  if (request < few) return request;
  const later = request - few;
  return later % 6 === 0 ? few + ((later / 6) % (documents - few)) : few - 1 - (later % 100);
}

test('the heap does not grow with requests, nor with documents that are not kept', {
  timeout: 120_000,
}, async () => {
  const engine = createCompiledEngine({
    graph: loadSupergraph(librarySupergraph(), {
      books: 'http://127.0.0.1:1',
      authors: 'http://127.0.0.1:1',
    }),
    sources,
    introspection: true,
    log: silent,
  });
  const run = async (from: number, to: number) => {
    for (let request = from; request < to; request++) {
      const { data, errors } = await engine.execute(
        {
          query: documentOf(documentFor(request)),
          variables: { more: request % 2 === 0 },
          method: 'POST',
        },
        contextOf(null, undefined),
      );
      if (errors || !data?.['book']) throw new Error(JSON.stringify(errors ?? data));
    }
  };
  const empty = await memoryInUse();
  await run(0, few);
  const first = await memoryInUse();
  await run(few, many);
  const last = await memoryInUse();
  const ratio = last.heap / first.heap;
  expect(ratio).toBeLessThan(1.3);
  // The same of what operations take, beside which all that was there before would hide a leak.
  expect((last.heap - empty.heap) / (first.heap - empty.heap)).toBeLessThan(1.3);
  expect(few).toBeGreaterThanOrEqual(kept);
  await engine.close();
});
