import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gateway } from '../index.js';
import { openSocket } from '../testing/client.js';
import { post, startTestGateway } from '../testing/gateway.js';
import { type Library, librarySupergraph, startLibrary } from '../testing/library.js';

let library: Library;
let gateway: Gateway;
beforeAll(async () => {
  library = await startLibrary();
  gateway = await startTestGateway({ supergraph: librarySupergraph(), subgraphUrls: library.urls });
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([library.books.stop(), library.authors.stop()]);
});

const refused = [expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT', field: 'variables' } })];
const variables = (levels: number) => `{"filter":${'['.repeat(levels)}${']'.repeat(levels)}}`;
const query = 'query ($filter: Filter!) { find(filter: $filter) { id } }';

test('variables that are nested too deep are refused over HTTP', async () => {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"query":${JSON.stringify(query)},"variables":${variables(100_000)}}`,
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({ errors: refused });
});

test('and over a WebSocket, which goes on', async () => {
  const socket = await openSocket(gateway.url);
  socket.subscribe('1', 'subscription { bookAdded { id } }', { deep: JSON.parse(variables(1_000)) });
  expect(await socket.next()).toMatchObject({ type: 'error', id: '1', payload: refused });
  socket.subscribe('2', '{ books { id } }');
  expect(await socket.next()).toMatchObject({ type: 'next', id: '2' });
  socket.close();
});

const within = (levels: number, open: string, inside: string, close: string) =>
  `${open.repeat(levels)}${inside}${close.repeat(levels)}`;
const chain = Array.from(
  { length: 900 },
  (_, n) => `fragment f${n} on Query { ... { ... { ...f${n + 1} } } }`,
);

// The planner ran out of stack below some of these, and the parser below others: how deep depends on what ran before.
test.each([
  ['fragments', `{ ${within(2_500, '... {', 'books { id }', '}')} }`],
  ['more fragments', `{ ${within(7_000, '... {', 'books { id }', '}')} }`],
  ['named fragments', `{ ...f0 } ${chain.join(' ')} fragment f900 on Query { books { id } }`],
  ['fields', within(3_500, '{ books', '', '}')],
  ['values', `{ book(id: ${within(7_000, '[', '1', ']')}) { id } }`],
  ['types', `query ($id: ${within(4_900, '[', 'ID', ']')}) { book(id: $id) { id } }`],
])('%s that are nested without end are refused as such', async (_what, nested) => {
  const tooComplex = [
    { message: expect.not.stringContaining('call stack'), extensions: { code: 'QUERY_TOO_COMPLEX' } },
  ];
  const { status, body } = await post(gateway, nested);
  expect([status, body]).toEqual([400, { errors: tooComplex }]);
  const socket = await openSocket(gateway.url);
  socket.subscribe('1', nested);
  expect(await socket.next()).toMatchObject({ type: 'error', id: '1', payload: tooComplex });
  socket.close();
});
