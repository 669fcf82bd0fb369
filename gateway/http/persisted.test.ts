import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from '../index.js';
import { type Answer, get, postText, startTestGateway } from '../testing/gateway.js';
import { type Library, librarySupergraph, startLibrary } from '../testing/library.js';
import { createPersistedQueries } from './persisted.js';

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

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const persisted = (sha256Hash: unknown, version: unknown = 1) => ({
  persistedQuery: { version, sha256Hash },
});

interface Request {
  query?: string;
  variables?: object;
  extensions: object;
}
const byPost = (request: Request) => postText(gateway, JSON.stringify(request));
const byGet = ({ query, variables, extensions }: Request) =>
  get(gateway, {
    ...(query !== undefined && { query }),
    ...(variables && { variables: JSON.stringify(variables) }),
    extensions: JSON.stringify(extensions),
  });

const refusedWith = (field: string) => ({
  status: 400,
  body: { errors: [{ message: expect.any(String), extensions: { code: 'BAD_USER_INPUT', field } }] },
});
const kim = { status: 200, body: { data: { book: { title: 'Kim' } } } };

describe.each<[string, (request: Request) => Promise<Answer>, (request: Request) => Promise<Answer>]>([
  ['POST', byPost, byGet],
  ['GET', byGet, byPost],
])('by %s', (name, send, sendOtherwise) => {
  // Each method has documents of its own: both are put to one gateway.
  const query = `query By${name}($id: ID!) { book(id: $id) { title } }`;
  const variables = { id: '1' };
  const extensions = persisted(hashOf(query));

  test('a hash that nobody knows is answered 200, which clients take as the wish for the document', async () => {
    expect(await send({ variables, extensions: persisted(hashOf(`${query} # unknown`)) })).toEqual({
      status: 200,
      body: {
        errors: [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
      },
    });
  });

  test('a document that came with its hash is run, and known from then on, by either method', async () => {
    expect(await send({ query, variables, extensions })).toEqual(kim);
    expect(await send({ variables, extensions })).toEqual(kim);
    expect(await sendOtherwise({ variables, extensions })).toEqual(kim);
    expect(await send({ variables: { id: '2' }, extensions })).toEqual({
      status: 200,
      body: { data: { book: { title: 'Emma' } } },
    });
  });

  test('a hash of something else is refused, and makes nothing known', async () => {
    const foreign = persisted(hashOf(`${query} # foreign`));
    expect(await send({ query, variables, extensions: foreign })).toEqual(
      refusedWith('extensions.persistedQuery.sha256Hash'),
    );
    expect((await send({ variables, extensions: foreign })).body.errors?.[0]?.message).toBe(
      'PersistedQueryNotFound',
    );
  });

  test('what is known under a hash is not replaced by another document', async () => {
    await send({ query, variables, extensions });
    const other = await send({ query: '{ __typename }', extensions });
    expect(other).toEqual(refusedWith('extensions.persistedQuery.sha256Hash'));
    expect(await send({ variables, extensions })).toEqual(kim);
  });

  test.each([
    ['of another version', persisted(hashOf('{ __typename }'), 2)],
    ['of a version in quotes', persisted(hashOf('{ __typename }'), '1')],
    ['without a hash', persisted(undefined)],
    ['with a hash that is no text', persisted(7)],
    ['that is no object', { persistedQuery: 'yes' }],
    ['that is a list', { persistedQuery: [] }],
  ])('a persistedQuery %s is refused, though its document came too', async (_name, wrong) => {
    expect(await send({ query: '{ __typename }', extensions: wrong })).toEqual(
      refusedWith('extensions.persistedQuery'),
    );
  });
});

test('a GET runs no mutation that a POST made known', async () => {
  const query = 'mutation Known { rename(id: "1", title: "x") { id } }';
  const extensions = persisted(hashOf(query));
  expect((await byPost({ query, extensions })).status).toBe(200);
  expect((await byGet({ extensions })).status).toBe(405);
});

test('no more than 5,000 documents are kept, nor 8,000,000 characters; the oldest go', () => {
  const knows = (queries: ReturnType<typeof createPersistedQueries>, query: string) => {
    try {
      return (
        queries.documentOf({
          query: undefined,
          documentId: undefined,
          operationName: undefined,
          variables: {},
          extensions: persisted(hashOf(query)),
        }) === query
      );
    } catch {
      return false;
    }
  };
  const keep = (queries: ReturnType<typeof createPersistedQueries>, query: string) =>
    queries.documentOf({
      query,
      documentId: undefined,
      operationName: undefined,
      variables: {},
      extensions: persisted(hashOf(query)),
    });

  const many = createPersistedQueries();
  for (let n = 0; n <= 5_000; n++) keep(many, `{ a${n} }`);
  expect([knows(many, '{ a0 }'), knows(many, '{ a1 }'), knows(many, '{ a5000 }')]).toEqual([
    false,
    true,
    true,
  ]);

  const large = createPersistedQueries();
  const long = (n: number) => `{ a } # ${n} ${'x'.repeat(1_000_000)}`;
  for (let n = 0; n < 8; n++) keep(large, long(n));
  expect([knows(large, long(0)), knows(large, long(7))]).toEqual([false, true]);
});
