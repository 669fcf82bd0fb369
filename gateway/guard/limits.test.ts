import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from '@graphql-codegen/cli';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { GatewayOptions } from '../index.js';
import { openSocket } from '../testing/client.js';
import { type Issuer, post, postText, startIssuer, startTestGateway } from '../testing/gateway.js';
import { type Library, librarySupergraph, startLibrary } from '../testing/library.js';
import { unlimited } from './guarded.js';
import { readTrustedDocuments } from './trusted-documents.js';

let library: Library;
let issuer: Issuer;
beforeAll(async () => {
  [library, issuer] = await Promise.all([startLibrary(), startIssuer()]);
});
afterAll(() => Promise.all([library.books.stop(), library.authors.stop(), issuer.stop()]));

async function start(options: Partial<GatewayOptions>) {
  const { jwksUrl } = issuer;
  const gateway = await startTestGateway({
    ...{ supergraph: librarySupergraph(), subgraphUrls: library.urls, jwksUrl },
    ...options,
  });
  onTestFinished(() => gateway.stop());
  return gateway;
}
const coded = (code: string) => ({ errors: [{ extensions: { code } }] });

describe('operations', () => {
  test('are refused before anything is fetched where they are too much, over HTTP and WebSocket', async () => {
    const gateway = await start({ operationLimits: { ...unlimited, depth: 2, cost: 25 } });
    const deep = '{ books { author { name } } }';
    const costly = '{ books { id author { id } } items { __typename } }';
    expect((await post(gateway, '{ books { id } }')).body.errors).toBeUndefined();
    const before = library.fetched.length;
    for (const query of [deep, costly]) {
      const { status, body } = await post(gateway, query);
      expect([status, body]).toMatchObject([400, coded('QUERY_TOO_COMPLEX')]);
      expect(body).not.toHaveProperty('data');
    }
    const socket = await openSocket(gateway.url);
    socket.subscribe('1', deep);
    expect(await socket.next()).toMatchObject({ type: 'error', payload: coded('QUERY_TOO_COMPLEX').errors });
    socket.subscribe('2', 'subscription { bookAdded { author { name } } }');
    expect(await socket.next()).toMatchObject({ type: 'error', payload: coded('QUERY_TOO_COMPLEX').errors });
    socket.close();
    expect(library.fetched).toHaveLength(before);
  });

  test.each([
    ['doubles itself, and selects nothing', 40, (n: number) => `...f${n + 1} ...f${n + 1}`, '...none'],
    [
      'is a chain, deeper than a stack',
      60,
      (n: number) => `${'{ a '.repeat(99).slice(2)} { ...f${n + 1} } ${'}'.repeat(98)}`,
      'a',
    ],
  ])('that %s is refused at once, and the socket goes on', async (_what, length, inner, last) => {
    const gateway = await start({});
    const fragments = Array.from({ length }, (_, n) => `fragment f${n} on Query { ${inner(n)} }`);
    const query = `{ ...f0 } ${fragments.join(' ')} fragment f${length} on Query { ${last} }`;
    const began = performance.now();
    const { status, body } = await post(gateway, query);
    expect([status, body.errors?.length]).toEqual([400, expect.any(Number)]);
    const socket = await openSocket(gateway.url);
    socket.subscribe('1', query);
    expect(await socket.next()).toMatchObject({ type: 'error', id: '1' });
    socket.subscribe('2', '{ __typename }');
    expect(await socket.next()).toMatchObject({ type: 'next', id: '2' });
    socket.close();
    // It would take years.
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  test('tell what they may cost to who asks', async () => {
    const gateway = await start({ operationLimits: { ...unlimited, cost: 100 } });
    const ask = (query: string) => postText(gateway, JSON.stringify({ query, extensions: { cost: true } }));
    expect((await ask('{ books { author { id } } }')).body.extensions).toEqual({
      cost: { estimated: 20, max: 100 },
    });
    const { body } = await ask(
      '{ a: books { author { id } } b: books { author { id } } c: items { __typename } d: books { author { id } } e: books { author { id } } f: books { id } g: books { id } }',
    );
    expect(body.errors).toMatchObject([{ extensions: { cost: { estimated: 110, max: 100 } } }]);
  });
});

describe('how often', () => {
  test('is counted by user, and by address where nobody is logged in', async () => {
    const gateway = await start({ requestsPerSecond: 3, trustedProxies: ['loopback'] });
    const many = (headers: Record<string, string>) =>
      Promise.all(Array.from({ length: 6 }, () => post(gateway, '{ __typename }', { headers })));
    const refused = async (headers: Record<string, string>) =>
      (await many(headers)).filter(({ status }) => status === 429).length;
    expect(await refused({ 'x-forwarded-for': '192.0.2.1' })).toBeGreaterThanOrEqual(2);
    expect(await refused({ 'x-forwarded-for': '192.0.2.2, 127.0.0.1' })).toBeGreaterThanOrEqual(2);
    const authorization = await issuer.bearer(randomUUID());
    // The token is new once, and counts for the address then; who it is of waits wherever they are.
    expect(await refused({ authorization, 'x-forwarded-for': '192.0.2.3' })).toBeGreaterThanOrEqual(2);
    expect(await refused({ authorization, 'x-forwarded-for': '192.0.2.4' })).toBeGreaterThanOrEqual(5);
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: '{"query":"{ __typename }"}',
    });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { code: 'RATE_LIMITED', retryAfter: 1 } }],
    });
  });

  test('counts operations of a socket, which goes on', async () => {
    const gateway = await start({ requestsPerSecond: 2 });
    const socket = await openSocket(gateway.url, { authorization: await issuer.bearer(randomUUID()) });
    for (const id of ['1', '2', '3', '4']) socket.subscribe(id, '{ __typename }');
    const messages = [];
    for (let told = 0; told < 6; told++) messages.push(await socket.next());
    const errors = messages.filter(({ type }) => type === 'error');
    expect(errors).toHaveLength(2);
    expect(errors[0]).toMatchObject({ payload: coded('RATE_LIMITED').errors });
    socket.close();
  });

  test('counts sockets whose token has not been seen, by address', async () => {
    const gateway = await start({ requestsPerSecond: 2 });
    const opened = Array.from({ length: 8 }, async (_, n) => {
      const socket = await openSocket(gateway.url, null);
      socket.send({ type: 'connection_init', payload: { authorization: `Bearer made-up-${n}` } });
      return socket.closed;
    });
    const closed = (await Promise.all(opened)).map(({ code, reason }) => `${code} ${reason}`);
    expect(closed.filter((how) => how.startsWith('4403 Forbidden'))).not.toEqual([]);
    expect(closed.filter((how) => how === '1013 Try again later: in 1 s').length).toBeGreaterThanOrEqual(4);
  });
});

describe('trusted documents', () => {
  const known = 'query Titles { books { title } }';
  async function manifest(documents: unknown): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'doorstep-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'persisted-documents.json');
    await writeFile(path, JSON.stringify(documents));
    return path;
  }
  const hash = 'a'.repeat(64);
  const trusted = async (only: boolean) => ({
    documents: await readTrustedDocuments([
      await manifest({ [hash]: known }),
      await manifest({ b: '{ items { __typename } }' }),
    ]),
    only,
  });
  const persistedQuery = { version: 1, sha256Hash: hash };

  test('are run by their id, their hash and their text, and where nothing else is run nothing else is', async () => {
    const gateway = await start({ trusted: await trusted(true) });
    const ask = async (request: object) => (await postText(gateway, JSON.stringify(request))).body;
    const titles = { data: { books: [{ title: 'Kim' }, {}, {}] } };
    expect(await ask({ documentId: hash })).toMatchObject(titles);
    expect(await ask({ extensions: { persistedQuery } })).toMatchObject(titles);
    expect(await ask({ query: known })).toMatchObject(titles);
    expect(await ask({ query: known, extensions: { persistedQuery } })).toMatchObject(titles);
    expect(await ask({ documentId: 'b' })).toMatchObject({ data: { items: [{}, {}] } });
    for (const request of [
      { query: '{ books { title } }' },
      { query: '{ __typename }', extensions: { persistedQuery } },
      { query: '{ __typename }', documentId: hash },
    ])
      expect(await ask(request)).toMatchObject(coded('FORBIDDEN'));
    expect(await ask({ documentId: 'c' })).toMatchObject(coded('BAD_USER_INPUT'));
    const socket = await openSocket(gateway.url);
    socket.subscribe('1', '{ books { title } }');
    expect(await socket.next()).toMatchObject({ type: 'error', payload: coded('FORBIDDEN').errors });
    socket.subscribe('2', known);
    expect(await socket.next()).toMatchObject({ type: 'next', payload: titles });
    socket.close();
  });

  test('are those of the manifest that the client preset of GraphQL Code Generator writes', async () => {
    const files = (await generate(
      {
        silent: true,
        schema: 'type Query { books: [Book!] } type Book { id: ID! title: String! }',
        documents: [known],
        generates: { 'generated/': { preset: 'client', presetConfig: { persistedDocuments: true } } },
      },
      false,
    )) as { filename: string; content: string }[];
    const written =
      files.find(({ filename }) => filename.endsWith('persisted-documents.json'))?.content ?? '{}';
    const [id = ''] = Object.keys(JSON.parse(written) as object);
    const documents = await readTrustedDocuments([await manifest(JSON.parse(written))]);
    const gateway = await start({ trusted: { documents, only: true } });
    const { body } = await postText(gateway, JSON.stringify({ documentId: id }));
    expect(body).toMatchObject({ data: { books: [{ title: 'Kim' }, {}, {}] } });
  });

  test('elsewhere they are one way to ask', async () => {
    const gateway = await start({ trusted: await trusted(false) });
    expect((await postText(gateway, JSON.stringify({ documentId: 'b' }))).body.errors).toBeUndefined();
    expect((await post(gateway, '{ __typename }')).body.errors).toBeUndefined();
  });

  test.each([
    ['nowhere.json', undefined, 'cannot be read (ENOENT)'],
    [undefined, ['a list'], 'no JSON object of documents'],
    [undefined, { id: 5 }, 'no JSON object of documents'],
  ])('a manifest that is none is told so: %s %o', async (path, documents, reason) => {
    const given = path ?? (await manifest(documents));
    await expect(readTrustedDocuments([given])).rejects.toThrow(`TRUSTED_DOCUMENTS names ${given}, but it`);
    await expect(readTrustedDocuments([given])).rejects.toThrow(reason);
  });
});

describe('other sites', () => {
  const preflight = (url: string, origin: string) =>
    fetch(`${url}/graphql`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,authorization',
      },
    });

  test('may ask where they are named, and no others', async () => {
    const gateway = await start({ corsOrigins: ['https://shop.example'] });
    const allowed = await preflight(gateway.url, 'https://shop.example');
    expect(allowed.status).toBe(204);
    expect(Object.fromEntries(allowed.headers)).toMatchObject({
      'access-control-allow-origin': 'https://shop.example',
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'content-type,authorization',
    });
    expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
    const other = await preflight(gateway.url, 'https://evil.example');
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    const unnamed = await preflight((await start({})).url, 'https://shop.example');
    expect(unnamed.headers.get('access-control-allow-origin')).toBeNull();
    const open = await preflight((await start({ corsOrigins: ['*'] })).url, 'https://any.example');
    expect(open.headers.get('access-control-allow-origin')).toBe('*');
  });

  test('answers are not kept or taken for something else, and GraphiQL is in no frame', async () => {
    const gateway = await start({});
    const answer = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ __typename }"}',
    });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    const page = await fetch(`${gateway.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(Object.fromEntries(page.headers)).toMatchObject({
      'x-frame-options': 'DENY',
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
    });
    await page.arrayBuffer();
  });
});
