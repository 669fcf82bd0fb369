import { generateKeyPairSync } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from './index.js';
import { openSocket } from './testing/client.js';
import { type Issuer, post, startIssuer, startTestGateway, until } from './testing/gateway.js';
import { type Library, librarySupergraph, startLibrary } from './testing/library.js';

const supergraph = librarySupergraph();
let library: Library;
let issuer: Issuer;
let gateway: Gateway;

beforeAll(async () => {
  [library, issuer] = await Promise.all([startLibrary(), startIssuer()]);
  gateway = await startTestGateway({ supergraph, subgraphUrls: library.urls, jwksUrl: issuer.jwksUrl });
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([library.books.stop(), library.authors.stop(), issuer.stop()]);
});

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(gateway.url + path, { headers, redirect: 'manual' });

describe('queries', () => {
  test('join fields of two subgraphs', async () => {
    const { status, body } = await post(gateway, '{ books { title author { name } } }');
    expect(status).toBe(200);
    expect(body).toEqual({
      data: {
        books: [
          { title: 'Kim', author: { name: 'Author a1' } },
          { title: 'Emma', author: { name: 'Author a2' } },
          { title: 'Ulysses', author: { name: 'Author a3' } },
        ],
      },
    });
  });

  test('take variables, aliases, fragments and directives', async () => {
    const { body } = await post(
      gateway,
      `query Q($id: ID!, $more: Boolean = false, $format: String) {
        first: book(id: $id) { ...Names pages(format: $format) author @include(if: $more) { name } }
        other: book(id: "2") { __typename t: title @skip(if: $more) }
      }
      fragment Names on Book { title }`,
      { variables: { id: '1', format: 'pocket' } },
    );
    expect(body).toEqual({
      data: { first: { title: 'Kim', pages: 200 }, other: { __typename: 'Book', t: 'Emma' } },
    });
  });

  test('an entity that another subgraph does not know is null, without an error and without a hint of the inside', async () => {
    const { body } = await post(gateway, '{ author(id: "gone") { name } book(id: "nope") { title } }');
    expect(body).toEqual({ data: { author: null, book: null } });
  });

  test('mutations run', async () => {
    const { body } = await post(
      gateway,
      'mutation { rename(id: "1", title: "Dune") { title author { name } } }',
    );
    expect(body).toEqual({ data: { rename: { title: 'Dune', author: { name: 'Author a1' } } } });
  });

  test.each([
    ['{ books { id ', 'GRAPHQL_PARSE_FAILED'],
    ['{ boks { id } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['query A { books { id } } query B { books { id } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['query($f: Filter!) { find(filter: $f) { id } }', 'BAD_USER_INPUT'],
    ['subscription { never { id } }', 'GRAPHQL_VALIDATION_FAILED'],
  ])('%s is refused with %s', async (query, code) => {
    const { status, body } = await post(gateway, query);
    expect(status).toBe(400);
    expect(body).toEqual({
      errors: [expect.objectContaining({ extensions: expect.objectContaining({ code }) })],
    });
  });

  test('a body that is no JSON, and one that is too large, are refused in GraphQL', async () => {
    const send = (body: string) =>
      fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
    const garbage = await send('{');
    expect([garbage.status, await garbage.json()]).toEqual([
      400,
      { errors: [expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT', field: 'body' } })] },
    ]);
    const large = await send(JSON.stringify({ query: `{ books { id } } #${'x'.repeat(1024 * 1024)}` }));
    expect([large.status, await large.json()]).toEqual([
      413,
      { errors: [expect.objectContaining({ extensions: { code: 'QUERY_TOO_COMPLEX' } })] },
    ]);
  });
});

describe('GET', () => {
  const address = (query: string) => `/graphql?query=${encodeURIComponent(query)}`;

  test('may query', async () => {
    const response = await get(address('{ book(id: "1") { title } }'));
    expect([response.status, await response.json()]).toEqual([200, { data: { book: { title: 'Kim' } } }]);
  });

  test('may not mutate', async () => {
    const response = await get(address('mutation { rename(id: "1", title: "x") { id } }'));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await response.json()).toEqual({
      errors: [expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT' } })],
    });
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'is all that a page of somebody else can send unasked: a POST of %s is refused',
    async (type) => {
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: '{"query":"{books{id}}"}',
      });
      expect(response.status).toBe(415);
      expect(await response.json()).toEqual({
        errors: [expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT' } })],
      });
    },
  );
});

describe('tokens', () => {
  const whoami = '{ whoami { authorization requestId } }';
  const ask = (authorization: string) =>
    post(gateway, whoami, { headers: { authorization, 'x-request-id': 'r-1' } });

  test('reach the subgraphs as they came, with the request id', async () => {
    const authorization = await issuer.bearer();
    expect((await ask(authorization)).body).toEqual({
      data: { whoami: { authorization, requestId: 'r-1' } },
    });
  });

  test('are not needed, and a request id that is none is replaced', async () => {
    const { body } = await post(gateway, whoami, { headers: { 'x-request-id': 'a b' } });
    expect(body).toEqual({
      data: { whoami: { authorization: null, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) } },
    });
  });

  const claims = { role: 'ADMIN' };
  const expiring = (jwt: SignJWT) =>
    jwt
      .setSubject('0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11')
      .setIssuer('doorstep')
      .setAudience('doorstep')
      .setExpirationTime('1h');
  const unsigned = () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `Bearer ${part({ alg: 'none' })}.${part({ ...claims, sub: '0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11', iss: 'doorstep', aud: 'doorstep', exp: 4e9 })}.x`;
  };
  const forged = async () =>
    `Bearer ${await expiring(new SignJWT(claims)).setProtectedHeader({ alg: 'EdDSA' }).sign(generateKeyPairSync('ed25519').privateKey)}`;

  test.each([
    ['garbage', () => 'Bearer a.b.c'],
    ['no bearer', () => 'Basic dTpw'],
    ['unsigned', unsigned],
    ['signed by somebody else', forged],
    ['expired', () => issuer.bearer('0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11', -60_000)],
  ])('%s: the whole request is refused', async (_name, token) => {
    const { status, body } = await ask(await token());
    expect(status).toBe(401);
    expect(body).toEqual({
      errors: [{ message: expect.any(String), extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });

  test('are all refused where there are no keys', async () => {
    const closed = await startTestGateway({ supergraph, subgraphUrls: library.urls });
    const { status } = await post(closed, '{ books { id } }', {
      headers: { authorization: await issuer.bearer() },
    });
    expect([status, (await post(closed, '{ books { id } }')).status]).toEqual([401, 200]);
    expect((await fetch(`${closed.url}/.well-known/jwks.json`)).status).toBe(404);
    await closed.stop();
  });
});

describe('around GraphQL', () => {
  test('the root leads to GraphQL', async () => {
    const response = await get('/');
    expect([response.status, response.headers.get('location')]).toEqual([302, '/graphql']);
  });

  test('the keys are served', async () => {
    expect(await (await get('/.well-known/jwks.json')).json()).toEqual({
      keys: [expect.objectContaining({ alg: 'EdDSA', kty: 'OKP' })],
    });
  });

  test('introspection can be off, over HTTP and WebSocket', async () => {
    const closed = await startTestGateway({ supergraph, subgraphUrls: library.urls, introspection: false });
    const { body } = await post(closed, '{ __schema { queryType { name } } }');
    expect(body.errors?.[0]?.extensions).toMatchObject({ code: 'GRAPHQL_VALIDATION_FAILED' });
    const hint = await post(closed, '{ boks { id } }');
    expect(hint.body.errors?.[0]?.message).not.toMatch(/Did you mean/);
    const socket = await openSocket(closed.url);
    socket.subscribe('1', 'subscription { nevr { id } }');
    expect(await socket.next()).toMatchObject({
      type: 'error',
      payload: [{ message: expect.not.stringMatching(/Did you mean/) }],
    });
    await closed.stop();
  });

  test('the gateway is ready when every subgraph is, and names those that are not', async () => {
    const own = await startLibrary();
    const watched = await startTestGateway({ supergraph, subgraphUrls: own.urls });
    const ready = async () => (await fetch(`${watched.url}/health/ready`)).json();
    await until(async () => (await ready()).status === 'ready');
    await own.authors.stop();
    await until(async () => (await ready()).status === 'waiting');
    expect(await ready()).toEqual({ status: 'waiting', missing: ['authors'] });
    expect((await fetch(`${watched.url}/health/live`)).status).toBe(200);
    await watched.stop();
    await own.books.stop();
  });

  test('a supergraph that cannot be read, or a subgraph that it does not have, stops the start', async () => {
    await expect(startTestGateway({ supergraph: 'type Query { a: Int }' })).rejects.toThrow();
    await expect(
      startTestGateway({ supergraph, subgraphUrls: { shelves: 'http://127.0.0.1:1' } }),
    ).rejects.toThrow("no subgraph 'shelves'");
  });

  test('a port that is taken stops the start', async () => {
    await expect(
      startTestGateway({ supergraph, subgraphUrls: library.urls, port: gateway.port }),
    ).rejects.toThrow('is taken');
  });
});

describe('stopping', () => {
  test('goes on for a while, though it is not ready; sockets stay until that is over', async () => {
    const own = await startTestGateway({ supergraph, subgraphUrls: library.urls, lameDuckMs: 1_000 });
    const socket = await openSocket(own.url);
    const stopped = own.stop();
    const ready = await fetch(`${own.url}/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: 'waiting', missing: ['gateway: it is stopping'] },
    ]);
    const { status, body } = await post(own, '{ book(id: "1") { title author { name } } }');
    expect([status, body.data]).toEqual([200, { book: { title: 'Kim', author: { name: 'Author a1' } } }]);
    socket.subscribe('1', '{ book(id: "1") { title } }');
    expect(await socket.next()).toMatchObject({ type: 'next' });
    expect(await socket.closed).toEqual({ code: 1012, reason: 'Service restart' });
    await stopped;
    await expect(fetch(own.url)).rejects.toThrow();
  });

  test('closes sockets with 1012 and answers what is under way', async () => {
    const own = await startTestGateway({ supergraph, subgraphUrls: library.urls });
    const socket = await openSocket(own.url);
    socket.subscribe('1', 'subscription { never { id } }');
    await until(() => library.events.listeners() === 1);

    // The headers are with the gateway and the body is not: the request is under way for as long as the test likes.
    const body = JSON.stringify({ query: '{ book(id: "1") { title } }' });
    const slow = httpRequest(`${own.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    });
    const answered = new Promise<string>((resolve, reject) => {
      slow.on('error', reject).on('response', (response) => {
        let text = '';
        response.on('data', (chunk) => (text += chunk)).on('end', () => resolve(text));
      });
    });
    await new Promise<void>((resolve) => slow.write(body.slice(0, 5), () => resolve()));
    await fetch(`${own.url}/health/live`);

    const stopped = own.stop();
    expect(await socket.closed).toEqual({ code: 1012, reason: 'Service restart' });
    slow.end(body.slice(5));
    expect(JSON.parse(await answered)).toEqual({ data: { book: { title: 'Kim' } } });
    await stopped;
    await until(() => library.events.listeners() === 0);
    await expect(fetch(own.url)).rejects.toThrow();
  });
});
