import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../platform/auth/principal.js';
import type { Gateway } from '../index.js';
import { get, type Issuer, postText, startIssuer, startTestGateway } from '../testing/gateway.js';
import { type Library, librarySupergraph, startLibrary } from '../testing/library.js';

let library: Library;
let issuer: Issuer;
let open: Gateway;
let closed: Gateway;
beforeAll(async () => {
  [library, issuer] = await Promise.all([startLibrary(), startIssuer()]);
  const options = { supergraph: librarySupergraph(), subgraphUrls: library.urls, jwksUrl: issuer.jwksUrl };
  open = await startTestGateway(options);
  closed = await startTestGateway({ ...options, introspection: false });
});
afterAll(async () => {
  await Promise.all([open.stop(), closed.stop()]);
  await Promise.all([library.books.stop(), library.authors.stop(), issuer.stop()]);
});

const query = '{ books { title author { name } } }';
const extensions = { queryPlan: true };
const ask = (gateway: Gateway, request: object, authorization?: string) =>
  postText(gateway, JSON.stringify(request), authorization === undefined ? {} : { authorization });

/** Both services, in the order in which they are fetched from. */
const plan = { queryPlan: expect.stringMatching(/^QueryPlan \{.*service: "books".*service: "authors"/s) };
const data = { books: [{ title: 'Kim', author: { name: 'Author a1' } }, {}, {}] };

describe('in development a plan is shown', () => {
  test('to everybody who asks for it, beside the answer', async () => {
    const { status, body } = await ask(open, { query, extensions });
    expect([status, body]).toMatchObject([200, { data, extensions: plan }]);
    expect(body.errors).toBeUndefined();
  });

  test('by GET too', async () => {
    const { body } = await get(open, { query, extensions: JSON.stringify(extensions) });
    expect(body.extensions).toEqual(plan);
  });

  test('as null where nothing is fetched', async () => {
    const { body } = await ask(open, { query: '{ __typename }', extensions });
    expect(body).toEqual({ data: { __typename: 'Query' }, extensions: { queryPlan: null } });
  });

  test('beside errors of subgraphs, and not for an operation that is refused', async () => {
    const failed = await ask(open, { query: '{ fails(code: "NOT_FOUND") }', extensions });
    expect(failed.body).toMatchObject({ data: { fails: null }, errors: [{ path: ['fails'] }] });
    expect(failed.body.extensions).toEqual({ queryPlan: expect.stringContaining('service: "books"') });
    const refused = await ask(open, { query: '{ boks { title } }', extensions });
    expect([refused.status, refused.body.extensions]).toEqual([400, undefined]);
  });

  test.each([[false], ['true'], [1], [null], [undefined]])(
    'to nobody else: queryPlan is %s',
    async (queryPlan) => {
      const { body } = await ask(open, { query, extensions: { queryPlan } });
      expect(body.extensions).toBeUndefined();
    },
  );
});

describe('in production a plan', () => {
  test.each<Role>(['DISPATCHER', 'ADMIN'])('is shown to a %s', async (role) => {
    const { status, body } = await ask(closed, { query, extensions }, await issuer.bearerOf(role));
    expect([status, body]).toMatchObject([200, { data, extensions: plan }]);
  });

  test.each<Role>(['CUSTOMER', 'COURIER'])('is refused to a %s', async (role) => {
    expect(await ask(closed, { query, extensions }, await issuer.bearerOf(role))).toEqual({
      status: 403,
      body: { errors: [{ message: expect.any(String), extensions: { code: 'FORBIDDEN' } }] },
    });
  });

  test('is refused to who is nobody', async () => {
    expect(await ask(closed, { query, extensions })).toEqual({
      status: 401,
      body: { errors: [{ message: expect.any(String), extensions: { code: 'UNAUTHENTICATED' } }] },
    });
  });

  test('that is refused runs nothing', async () => {
    const { length } = library.fetched;
    await ask(closed, { query, extensions });
    expect(library.fetched).toHaveLength(length);
    await ask(closed, { query });
    expect(library.fetched.length).toBeGreaterThan(length);
  });

  test('that nobody asked for is not shown to staff either', async () => {
    const { body } = await ask(closed, { query }, await issuer.bearerOf('ADMIN'));
    expect(Object.keys(body)).toEqual(['data']);
  });
});
