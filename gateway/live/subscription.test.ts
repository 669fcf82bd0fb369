import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { metrics } from '../../platform/metrics.js';
import type { Gateway } from '../index.js';
import { openSocket, type SocketClient } from '../testing/client.js';
import { type Issuer, startIssuer, startTestGateway, until } from '../testing/gateway.js';
import { type Library, librarySupergraph, startAuthors, startLibrary } from '../testing/library.js';

const supergraph = librarySupergraph();
let library: Library;
let issuer: Issuer;
let gateway: Gateway;
let socket: SocketClient;

beforeAll(async () => {
  [library, issuer] = await Promise.all([startLibrary(), startIssuer()]);
  gateway = await startTestGateway({
    supergraph,
    subgraphUrls: library.urls,
    jwksUrl: issuer.jwksUrl,
    eventPatienceMs: 300,
  });
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([library.books.stop(), library.authors.stop(), issuer.stop()]);
});
beforeEach(async () => {
  socket = await openSocket(gateway.url);
});
afterEach(async () => {
  socket.close();
  await until(() => library.events.listeners() === 0);
});

const kim = { __typename: 'Book', id: '1', title: 'Kim', author: { id: 'a1' }, strictAuthor: { id: 'a1' } };

/** Subscribes and waits until the subgraph has it. */
async function subscribe(query: string, variables?: Record<string, unknown>, id = '1'): Promise<void> {
  const before = library.events.listeners();
  socket.subscribe(id, query, variables);
  await until(() => library.events.listeners() === before + 1);
}
const payload = async () => {
  const message = await socket.next();
  expect(message.type).toBe('next');
  return message.payload;
};

describe('an event', () => {
  test('has fields of other subgraphs, aliases, fragments and __typename', async () => {
    await subscribe(
      `subscription S { added: bookAdded { ...Parts by: author { __typename called: name } } } fragment Parts on Book { t: title __typename }`,
    );
    library.events.push({ bookAdded: kim });
    expect(await payload()).toEqual({
      data: { added: { t: 'Kim', __typename: 'Book', by: { __typename: 'Author', called: 'Author a1' } } },
    });
  });

  test('has the members of a union by their type', async () => {
    await subscribe(
      'subscription { itemAdded { ... on Book { title author { name } } ... on Magazine { title issue } } }',
    );
    library.events.push({ itemAdded: { __typename: 'Magazine', id: 'm', title: 'Time', issue: 7 } });
    library.events.push({ itemAdded: kim });
    expect(await payload()).toEqual({ data: { itemAdded: { title: 'Time', issue: 7 } } });
    expect(await payload()).toEqual({ data: { itemAdded: { title: 'Kim', author: { name: 'Author a1' } } } });
  });

  test('follows variables, in arguments and in @include and @skip', async () => {
    library.calls.length = 0;
    const query = `subscription S($shelf: String, $more: Boolean = false, $less: Boolean!, $format: String = "pocket") {
      bookAdded(shelf: $shelf) { title @skip(if: $less) pages(format: $format) author @include(if: $more) { name } }
    }`;
    await subscribe(query, { shelf: 'top', less: true });
    await subscribe(query, { more: true, less: false, format: 'paper' }, '2');
    expect(library.calls).toEqual([{ shelf: 'top' }, {}]);
    library.events.push({ bookAdded: kim });
    const messages = [await socket.next(), await socket.next()].sort((a, b) => Number(a.id) - Number(b.id));
    expect(messages.map((message) => message.payload)).toEqual([
      { data: { bookAdded: { pages: 200 } } },
      { data: { bookAdded: { title: 'Kim', pages: 100, author: { name: 'Author a1' } } } },
    ]);
  });

  test('is fetched for anew each time, and events keep their order', async () => {
    await subscribe('subscription { bookAdded { id author { name } } }');
    library.fetched.length = 0;
    for (let n = 0; n < 50; n++) library.events.push({ bookAdded: { ...kim, id: String(n) } });
    const seen: unknown[] = [];
    for (let n = 0; n < 50; n++) seen.push(await payload());
    expect(seen).toEqual(
      Array.from({ length: 50 }, (_, n) => ({
        data: { bookAdded: { id: String(n), author: { name: 'Author a1' } } },
      })),
    );
    expect(library.fetched).toHaveLength(50);
  });

  test('may be null, and null rises as far as GraphQL says', async () => {
    await subscribe('subscription { maybeBook { title strictAuthor { name } } }');
    library.events.push({ maybeBook: null });
    expect(await payload()).toEqual({ data: { maybeBook: null } });
    library.events.push({ maybeBook: { ...kim, strictAuthor: { id: 'gone' } } });
    expect(await payload()).toEqual({ data: { maybeBook: null } });
  });

  test('that null takes away whole says why, and nothing of the inside', async () => {
    await subscribe('subscription { bookAdded { strictAuthor { name } } }');
    library.events.push({ bookAdded: { ...kim, strictAuthor: { id: 'gone' } } });
    expect(await payload()).toEqual({
      data: null,
      errors: [
        {
          message: expect.stringMatching(/^Something went wrong/),
          extensions: { code: 'INTERNAL_SERVER_ERROR', errorId: expect.any(String) },
        },
      ],
    });
  });

  test('with an error of the subgraph carries it, and the subscription goes on', async () => {
    await subscribe('subscription { bookAdded { title } }');
    library.events.push({ bookAdded: { id: '1' } });
    expect(await payload()).toMatchObject({
      data: null,
      errors: [{ path: ['bookAdded', 'title'], extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    });
    library.events.push({ bookAdded: kim });
    expect(await payload()).toEqual({ data: { bookAdded: { title: 'Kim' } } });
  });

  test('goes out with nulls and an error when another subgraph is away for too long', async () => {
    await subscribe('subscription { bookAdded { title author { name } } }');
    await library.authors.stop();
    library.events.push({ bookAdded: kim });
    expect(await payload()).toEqual({
      data: { bookAdded: { title: 'Kim', author: null } },
      errors: [
        {
          message: 'The authors service is unavailable.',
          extensions: { code: 'SERVICE_UNAVAILABLE', service: 'authors' },
        },
      ],
    });
    library.authors = await startAuthors(library, library.authors.port);
    await until(async () => (await fetch(`${gateway.url}/health/ready`)).status === 200);
    library.events.push({ bookAdded: kim });
    expect(await payload()).toEqual({ data: { bookAdded: { title: 'Kim', author: { name: 'Author a1' } } } });
  });
});

describe('a subscription is refused', () => {
  const refused = async (code: string) => {
    expect(await socket.next()).toEqual({
      id: '1',
      type: 'error',
      payload: [expect.objectContaining({ extensions: expect.objectContaining({ code }) })],
    });
  };
  test.each([
    ['subscription { bookAdded { id ', 'GRAPHQL_PARSE_FAILED'],
    ['subscription { bookAded { id } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription { bookAdded { id } maybeBook { id } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription S($a: Boolean!) { bookAdded @include(if: $a) { id } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription { bookAdded @skip(if: true) { id } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription A { bookAdded { id } } subscription B { bookAdded { id } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription S($a: Boolean!) { bookAdded { id @skip(if: $a) } }', 'BAD_USER_INPUT'],
    ['fragment F on Book { id }', 'GRAPHQL_VALIDATION_FAILED'],
  ])('%s', async (query, code) => {
    socket.subscribe('1', query);
    await refused(code);
    socket.subscribe('2', '{ books { id } }');
    expect(await socket.next()).toMatchObject({ id: '2', type: 'next' });
  });
});

describe('tokens', () => {
  test('of the socket reach the subgraph', async () => {
    const authorization = await issuer.bearer();
    const own = await openSocket(gateway.url, { authorization });
    own.subscribe('1', 'subscription { tokenSeen }');
    expect([await own.next(), await own.next()]).toEqual([
      { id: '1', type: 'next', payload: { data: { tokenSeen: authorization } } },
      { id: '1', type: 'complete' },
    ]);
    own.subscribe('2', 'subscription { bookAdded { author { token } } }');
    await until(() => library.events.listeners() === 1);
    library.events.push({ bookAdded: kim });
    expect(await own.next()).toMatchObject({
      payload: { data: { bookAdded: { author: { token: authorization } } } },
    });
    own.close();
  });

  test('are not needed here: the subgraph decides', async () => {
    socket.subscribe('1', 'subscription { tokenSeen }');
    expect(await socket.next()).toEqual({
      id: '1',
      type: 'error',
      payload: [{ message: 'Log in first.', extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });

  test('that are wrong or have ended close the socket with 4403', async () => {
    const bad = await openSocket(gateway.url, null);
    bad.send({ type: 'connection_init', payload: { authorization: 'Bearer a.b.c' } });
    expect(await bad.closed).toEqual({
      code: 4403,
      reason: expect.stringContaining('token is wrong or has expired'),
    });
    const ending = await openSocket(gateway.url, {
      authorization: await issuer.bearer('0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11', 1_500),
    });
    ending.subscribe('1', 'subscription { never { id } }');
    expect(await ending.closed).toEqual({ code: 4403, reason: 'Forbidden: the access token has expired' });
    await until(() => library.events.listeners() === 0);
  });
});

describe('queries and mutations over the socket', () => {
  test('are executed as its principal', async () => {
    const authorization = await issuer.bearer();
    const own = await openSocket(gateway.url, { authorization });
    own.subscribe('1', 'query Q($id: ID!) { book(id: $id) { author { name } } whoami { authorization } }', {
      id: '1',
    });
    expect([await own.next(), await own.next()]).toEqual([
      {
        id: '1',
        type: 'next',
        payload: { data: { book: { author: { name: 'Author a1' } }, whoami: { authorization } } },
      },
      { id: '1', type: 'complete' },
    ]);
    own.subscribe('2', 'mutation { rename(id: "1", title: "Dune") { title } }');
    expect(await own.next()).toMatchObject({ payload: { data: { rename: { title: 'Dune' } } } });
    own.close();
  });

  test('carry their errors, and are refused with an error message', async () => {
    socket.subscribe('1', '{ fails(code: "NOT_FOUND") }');
    expect(await payload()).toEqual({
      data: { fails: null },
      errors: [{ message: 'No.', path: ['fails'], extensions: { code: 'NOT_FOUND', field: 'input.title' } }],
    });
    await socket.next();
    socket.subscribe('2', '{ nope also }');
    expect(await socket.next()).toEqual({
      id: '2',
      type: 'error',
      payload: [
        expect.objectContaining({
          message: expect.stringContaining('"nope"'),
          extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
        }),
        expect.objectContaining({
          message: expect.stringContaining('"also"'),
          extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
        }),
      ],
    });
  });
});

test('running subscriptions are counted', async () => {
  const count = async () =>
    (await metrics.subscriptions.get()).values.find(({ labels }) => labels.service === 'gateway')?.value;
  await until(async () => (await count()) === 0);
  await subscribe('subscription { bookAdded { id } }');
  expect(await count()).toBe(1);
  socket.close();
  await until(async () => (await count()) === 0);
});
