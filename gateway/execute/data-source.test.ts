import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { metrics } from '../../platform/metrics.js';
import type { Gateway } from '../index.js';
import { post, startTestGateway } from '../testing/gateway.js';
import { type Library, librarySupergraph, startLibrary } from '../testing/library.js';

const supergraph = librarySupergraph();
const query = '{ books { title author { name } } }';
let library: Library;
const running: (() => Promise<void>)[] = [];

beforeAll(async () => {
  library = await startLibrary();
});
afterAll(() => Promise.all([library.books.stop(), library.authors.stop()]));
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

/** A gateway whose authors are this instead. */
async function gatewayWith(authors: RequestListener): Promise<Gateway> {
  const server = createServer(authors);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  const gateway = await startTestGateway({
    supergraph,
    subgraphUrls: { ...library.urls, authors: url },
    subgraphTimeoutMs: 300,
  });
  running.push(gateway.stop, async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return gateway;
}

const withoutAuthors = {
  errors: [
    {
      message: 'The authors service is unavailable.',
      extensions: { code: 'SERVICE_UNAVAILABLE', service: 'authors' },
    },
  ],
  data: {
    books: [
      { title: 'Kim', author: null },
      { title: 'Emma', author: null },
      { title: 'Ulysses', author: null },
    ],
  },
};

describe('a subgraph costs its own fields only', () => {
  const cases: [string, RequestListener][] = [
    ['that is slow', () => undefined],
    [
      'that starts its answer and never ends it',
      (_request, response) => response.writeHead(200).write('{"data":'),
    ],
    ['that hangs up', (request) => request.socket.destroy()],
    [
      'that answers 500',
      (_request, response) => response.writeHead(500).end('{"errors":[{"message":"pg at 10.0.0.7"}]}'),
    ],
    [
      'that answers HTML',
      (_request, response) =>
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome to nginx</html>'),
    ],
    ['that answers garbage', (_request, response) => response.end('{"data":{"_entities":')],
    ['that answers JSON which is no GraphQL', (_request, response) => response.end('{"ok":true}')],
    [
      'that answers 404 and no GraphQL',
      (_request, response) => response.writeHead(404).end('{"error":"not found"}'),
    ],
    [
      'that redirects',
      (_request, response) => response.writeHead(302, { location: 'http://10.0.0.7/' }).end(),
    ],
    [
      'that answers more than 64 MiB',
      (_request, response) => response.writeHead(200, { 'content-length': 65 * 1024 * 1024 }).write('{'),
    ],
  ];
  test.each(cases)('%s', async (_name, authors) => {
    const gateway = await gatewayWith(authors);
    expect(await post(gateway, query)).toEqual({ status: 200, body: withoutAuthors });
  });

  test('that is down', async () => {
    const gateway = await startTestGateway({
      supergraph,
      subgraphUrls: { books: library.urls['books'] as string },
    });
    running.push(gateway.stop);
    expect(await post(gateway, query)).toEqual({ status: 200, body: withoutAuthors });
  });

  test('and what may not be null takes no more with it than GraphQL says', async () => {
    const gateway = await gatewayWith((_request, response) => response.writeHead(503).end());
    const { body } = await post(gateway, '{ book(id: "1") { title strictAuthor { name } } books { title } }');
    expect(body).toMatchObject({
      data: { book: null, books: [{ title: 'Kim' }, {}, {}] },
      errors: withoutAuthors.errors,
    });
  });

  test('and its fetches are counted', async () => {
    const gateway = await gatewayWith((request) => request.socket.destroy());
    const failures = async () => {
      const { values } = await metrics.subgraphFetches.get();
      return (
        values.find(
          ({ metricName, labels }) =>
            metricName?.endsWith('_count') && labels.subgraph === 'authors' && labels.outcome === 'error',
        )?.value ?? 0
      );
    };
    const before = await failures();
    await post(gateway, query);
    expect(await failures()).toBe(before + 1);
  });
});

describe('what a subgraph says in GraphQL is passed on', () => {
  const says =
    (status: number, errors: object[]): RequestListener =>
    (_request, response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ errors }));

  test.each([
    [400, 'BAD_USER_INPUT'],
    [401, 'UNAUTHENTICATED'],
    [200, 'FORBIDDEN'],
  ])('HTTP %s with %s', async (status, code) => {
    const gateway = await gatewayWith(
      says(status, [
        {
          message: 'No.',
          extensions: { code, field: 'input.a', stacktrace: ['at x'], exception: { stacktrace: ['at y'] } },
        },
      ]),
    );
    const { body } = await post(gateway, query);
    expect(body).toEqual({
      ...withoutAuthors,
      errors: [{ message: 'No.', extensions: { code, field: 'input.a' } }],
    });
  });

  test('with the path where it stands in the whole answer, and without a status of its own', async () => {
    const gateway = await startTestGateway({ supergraph, subgraphUrls: library.urls });
    running.push(gateway.stop);
    expect(await post(gateway, '{ f: fails(code: "NOT_FOUND") }')).toEqual({
      status: 200,
      body: {
        data: { f: null },
        errors: [{ message: 'No.', path: ['f'], extensions: { code: 'NOT_FOUND', field: 'input.title' } }],
      },
    });
  });

  test('but an error that has no code was not meant for clients', async () => {
    const gateway = await gatewayWith(says(200, [{ message: 'connect ECONNREFUSED 10.0.0.7:5432' }]));
    const { body } = await post(gateway, query);
    expect(body.errors).toEqual([
      {
        message: expect.stringMatching(/^Something went wrong here; the error id is [0-9a-f-]{36}\.$/),
        extensions: { code: 'INTERNAL_SERVER_ERROR', errorId: expect.any(String) },
      },
    ]);
  });
});
