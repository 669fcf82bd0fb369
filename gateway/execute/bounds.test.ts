import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { silent } from '../../platform/testing/log.js';
import { contextOf } from '../context.js';
import { loadSupergraph } from '../supergraph.js';
import { memoryInUse } from '../testing/garbage.js';
import { post, startTestGateway } from '../testing/gateway.js';
import { librarySupergraph } from '../testing/library.js';
import { createCompiledEngine } from './compiled.js';
import type { SubgraphSource } from './source.js';

const graph = loadSupergraph(librarySupergraph(), {
  books: 'http://127.0.0.1:1',
  authors: 'http://127.0.0.1:1',
});

function engineOn(sources: Record<string, SubgraphSource['fetch']>) {
  const each = new Map(Object.entries(sources).map(([name, fetch]) => [name, { fetch }]));
  return createCompiledEngine({ graph, sources: each, introspection: true, log: silent });
}
const ask = (engine: ReturnType<typeof engineOn>, query: string, variables: Record<string, unknown> = {}) =>
  engine.execute({ query, variables, method: 'POST' }, contextOf(null, undefined));

const no = { message: 'No.', path: ['_entities', 0, 'born'], extensions: { code: 'CONFLICT' } };
const book = () => ({ __typename: 'Book', title: 'Kim', author: { __typename: 'Author', id: 'a1' } });

test.each([
  ['one error at many places', 40_000, 1],
  ['many errors at one place', 1, 40_000],
  ['many errors at many places', 2_000, 2_000],
])(
  '%s: the answer has room for 10,000, and comes soon',
  async (_, places, errors) => {
    const engine = engineOn({
      books: async () => ({ data: { books: Array.from({ length: places }, book) } }),
      authors: async () => ({
        data: { _entities: [{ __typename: 'Author', name: 'Kipling', born: null }] },
        errors: Array.from({ length: errors }, () => no),
      }),
    });
    const answer = await ask(engine, '{ books { title author { name born } } }');
    expect(answer.errors?.length).toBe(10_000);
    expect(answer.errors?.at(-1)?.path).toEqual(['books', expect.any(Number), 'author', 'born']);
    expect(answer.data?.['books']).toHaveLength(places);
  },
  10_000,
);

test('errors with long paths are compared with what is missing in no time', { timeout: 5_000 }, async () => {
  const path = ['books', ...Array.from({ length: 499 }, () => 1)];
  const engine = engineOn({
    books: async () => ({
      data: { books: [{ ...book(), title: null }] },
      errors: Array.from({ length: 4_000 }, () => ({ ...no, path })),
    }),
  });
  const answer = await ask(engine, '{ books { title } }');
  expect(answer.errors).toHaveLength(4_001);
  expect(answer.errors?.at(-1)?.path).toEqual(['books', 0, 'title']);
});

test('what is compiled for combinations of variables has a bound, over all operations', {
  timeout: 60_000,
}, async () => {
  const engine = engineOn({ books: async () => ({ data: {} }) });
  const flags = Array.from({ length: 6 }, (_, bit) => `v${bit}`);
  const fields = Array.from(
    { length: 12 },
    (_, at) =>
      `f${at}: book(id: 1) { id title ${flags[at] ? `pages @include(if: $${flags[at]})` : 'pages'} }`,
  );
  const run = async (from: number, to: number) => {
    for (let n = from; n < to; n++) {
      const query = `query Q${n}(${flags.map((flag) => `$${flag}: Boolean!`).join()}) { ${fields.join(' ')} }`;
      for (let bits = 0; bits < 64; bits++)
        await ask(engine, query, Object.fromEntries(flags.map((flag, at) => [flag, (bits & (1 << at)) > 0])));
    }
    return (await memoryInUse()).heap;
  };
  const full = await run(0, 80);
  expect(await run(80, 240)).toBeLessThan(full * 1.3);
});

test('a short text that is large once its fragments are in place is refused before it is planned', async () => {
  const engine = engineOn({});
  const query = `{ book(id: 1) { ...F0 } } ${Array.from(
    { length: 30 },
    (_, n) => `fragment F${n} on Book { a${n}: author { id } ...F${n + 1} ...F${n + 1} }`,
  ).join(' ')} fragment F30 on Book { id }`;
  expect(await ask(engine, query)).toMatchObject({
    status: 400,
    errors: [{ message: expect.stringContaining('10000'), extensions: { code: 'QUERY_TOO_COMPLEX' } }],
  });
});

test('an answer in pieces of one byte is given up before it fills the memory', {
  timeout: 60_000,
}, async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const piece = Buffer.from(`${'1\r\n \r\n'.repeat(8_192)}`);
    const write = () => {
      while (!response.destroyed && response.socket?.write(piece));
    };
    response.flushHeaders();
    response.socket?.on('drain', write);
    write();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  const gateway = await startTestGateway({
    supergraph: librarySupergraph(),
    subgraphUrls: { books: url, authors: url },
    subgraphTimeoutMs: 50_000,
    writeTimeoutMs: 0,
  });
  onTestFinished(() => gateway.stop());
  const before = process.memoryUsage().rss;
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 20);
  const { body } = await post(gateway, '{ books { title } }');
  clearInterval(watch);
  expect(body).toMatchObject({ data: { books: null }, errors: [{ extensions: { service: 'books' } }] });
  expect(most - before).toBeLessThan(1_000_000_000);
});
