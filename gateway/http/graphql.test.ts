import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from '../index.js';
import { post, startTestGateway } from '../testing/gateway.js';
import { type HeldSubgraph, startHeld } from '../testing/held.js';
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

async function send(init: RequestInit & { accept?: string } = {}, path = '/graphql') {
  const { accept = 'application/json', ...rest } = init;
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: '{"query":"{ __typename }"}',
    ...rest,
  });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

describe('the status and the media type of an answer', () => {
  test.each([
    ['application/json', 'application/json; charset=utf-8'],
    ['application/graphql-response+json', 'application/graphql-response+json; charset=utf-8'],
    ['*/*', 'application/json; charset=utf-8'],
  ])('of what is asked for as %s', async (accept, type) => {
    expect(await send({ accept })).toEqual({ status: 200, type, text: '{"data":{"__typename":"Query"}}' });
  });

  test.each([
    ['application/json', 200],
    ['application/graphql-response+json', 400],
    ['*/*', 400],
  ])('of an operation that is refused, asked for as %s, is %i', async (accept, status) => {
    for (const query of ['{', '{ boks }', 'query ($id: ID!) { book(id: $id) { id } }']) {
      const answer = await send({ accept, body: JSON.stringify({ query }) });
      expect([query, answer.status, Object.keys(JSON.parse(answer.text))]).toEqual([
        query,
        status,
        ['errors'],
      ]);
    }
  });

  test('of a request that is none is 400 for everybody', async () => {
    for (const accept of ['application/json', 'application/graphql-response+json', '*/*'])
      expect((await send({ accept, body: '{' })).status).toBe(400);
  });

  test.each(['text/plain', 'application/json;q=0', 'application/json;charset=ascii', 'image/*'])(
    'is 406 and GraphQL where only %s is taken, and nothing is run',
    async (accept) => {
      const { length } = library.fetched;
      const { status, type, text } = await send({
        accept,
        body: '{"query":"{ book(id: \\"1\\") { author { name } } }"}',
      });
      expect([status, type, JSON.parse(text)]).toEqual([
        406,
        'application/json; charset=utf-8',
        { errors: [{ message: expect.any(String), extensions: { code: 'BAD_USER_INPUT' } }] },
      ]);
      expect(library.fetched).toHaveLength(length);
    },
  );

  test('of a mutation that is to be a stream is that of one answer, and of a refusal by GET', async () => {
    const accept = 'text/event-stream';
    const query = 'mutation { rename(id: "1", title: "Emma") { title } }';
    expect(await send({ accept, body: JSON.stringify({ query }) })).toEqual({
      status: 200,
      type: 'text/event-stream; charset=utf-8',
      text: ':\n\nevent: next\ndata: {"data":{"rename":{"title":"Emma"}}}\n\nevent: complete\ndata:\n\n',
    });
    const { length } = library.fetched;
    const address = `${gateway.url}/graphql?query=${encodeURIComponent(query)}`;
    const refused = await fetch(address, { headers: { accept } });
    expect([refused.status, refused.headers.get('allow'), await refused.json()]).toMatchObject([
      405,
      'POST',
      { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] },
    ]);
    expect(library.fetched).toHaveLength(length);
  });

  test.each(['PUT', 'DELETE', 'PATCH'])('of %s is one of refusal, in GraphQL', async (method) => {
    const { status, text } = await send({ method });
    expect([status, Object.keys(JSON.parse(text))]).toEqual([expect.toBeOneOf([404, 405, 415]), ['errors']]);
  });
});

describe('a request id', () => {
  /** Sends headers that fetch would refuse to send. */
  const idSeenFor = async (id: string | string[]): Promise<string> => {
    const text = await new Promise<string>((resolve, reject) => {
      const request = httpRequest(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': id },
      });
      request.on('error', reject).on('response', (response) => {
        let body = '';
        response.on('data', (chunk) => (body += chunk)).on('end', () => resolve(body));
      });
      request.end('{"query":"{ whoami { requestId } }"}');
    });
    return JSON.parse(text).data.whoami.requestId;
  };

  test.each(['r-1', 'a', 'A_b.c-9', 'x'.repeat(64)])('%s is kept', async (id) => {
    expect(await idSeenFor(id)).toBe(id);
  });

  test.each([
    'a b',
    'a\tb',
    'a,b',
    'a:b',
    'a%0d%0ax-role:%20ADMIN',
    'é',
    '',
    '{"a":1}',
    'x'.repeat(65),
    'x'.repeat(8_000),
  ])('%s is replaced before it reaches a log or a subgraph', async (id) => {
    expect(await idSeenFor(id)).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  test('that came twice is replaced', async () => {
    expect(await idSeenFor(['a', 'b'])).toMatch(/^[0-9a-f-]{36}$/);
  });
});

test('whatever else a client sends in headers stays outside', async () => {
  const books: HeldSubgraph = await startHeld();
  const own = await startTestGateway({
    supergraph: librarySupergraph(),
    subgraphUrls: { ...library.urls, books: books.url },
  });
  const answer = post(own, '{ book(id: "1") { title } }', {
    headers: { cookie: 'session=1', 'x-user-id': '7', 'x-forwarded-for': '10.0.0.7', 'x-request-id': 'mine' },
  });
  await expect.poll(() => books.fetches.length).toBe(1);
  const { headers } = books.fetched(0);
  expect(Object.keys(headers).sort()).toEqual([
    'accept',
    'content-length',
    'content-type',
    'host',
    'x-request-id',
  ]);
  expect(headers['x-request-id']).toBe('mine');
  books.fetched(0).answer({ data: { book: null } });
  await answer;
  await own.stop();
  await books.stop();
});
