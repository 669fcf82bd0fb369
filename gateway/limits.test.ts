import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseOptions } from '../platform/graphql/operation.js';
import type { Gateway } from './index.js';
import { openSocket } from './testing/client.js';
import { post, startTestGateway } from './testing/gateway.js';
import { type Library, librarySupergraph, startLibrary } from './testing/library.js';

let library: Library;
let gateway: Gateway;
beforeAll(async () => {
  library = await startLibrary();
  gateway = await startTestGateway({
    supergraph: librarySupergraph(),
    subgraphUrls: library.urls,
    introspection: false,
  });
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([library.books.stop(), library.authors.stop()]);
});

test('a document of too many tokens is refused, over HTTP and WebSocket', async () => {
  const query = `{ ${'__typename '.repeat(parseOptions.maxTokens)} }`;
  const refusal = { extensions: { code: 'GRAPHQL_PARSE_FAILED' } };
  expect(await post(gateway, query)).toMatchObject({ status: 400, body: { errors: [refusal] } });
  const socket = await openSocket(gateway.url);
  socket.subscribe('1', query);
  expect(await socket.next()).toMatchObject({ type: 'error', payload: [refusal] });
  socket.close();
});

// Apollo Server's own way to hide them took minutes for this.
test('without introspection no name is suggested, in no time', async () => {
  const long = ' Did you mean '.repeat(65_000);
  const { status, body } = await post(gateway, `{ boks { id } book(id: { a: "${long}" }) { title } }`);
  const messages = body.errors?.map(({ message }) => message);
  expect([status, messages]).toEqual([
    400,
    ['Cannot query field "boks" on type "Query".', expect.stringMatching(/^ID cannot represent .{900,}…$/)],
  ]);
});
