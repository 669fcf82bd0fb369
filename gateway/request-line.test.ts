import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { recordingLog } from '../platform/testing/log.js';
import type { Gateway } from './index.js';
import { openSocket } from './testing/client.js';
import { type Issuer, post, startIssuer, startTestGateway, until } from './testing/gateway.js';
import { type Library, librarySupergraph, startLibrary } from './testing/library.js';

let library: Library;
let issuer: Issuer;
beforeAll(async () => {
  [library, issuer] = await Promise.all([startLibrary(), startIssuer()]);
});
afterAll(() => Promise.all([library.books.stop(), library.authors.stop(), issuer.stop()]));

const userId = '0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11';

describe.each(['doorstep', 'apollo'] as const)('%s: the line of a request', (executor) => {
  const { log, lines } = recordingLog('debug');
  let gateway: Gateway;
  beforeAll(async () => {
    const { jwksUrl } = issuer;
    const supergraph = librarySupergraph();
    gateway = await startTestGateway({ supergraph, subgraphUrls: library.urls, jwksUrl, log, executor });
  });
  afterAll(() => gateway.stop());
  beforeEach(() => {
    lines.length = 0;
  });
  const written = async (route = '/graphql') => {
    const ofRoute = () => lines.filter((line) => line['msg'] === 'request' && line['route'] === route);
    await until(() => ofRoute().length > 0);
    const [line, ...more] = ofRoute();
    expect(more).toEqual([]);
    return line;
  };

  test('names the operation and who asked, and nothing of what was asked for', async () => {
    const authorization = await issuer.bearer(userId);
    const query = 'query Find($id: ID!) { book(id: $id) { title } }';
    const headers = { authorization, 'x-request-id': 'r-1' };
    await post(gateway, query, { headers, variables: { id: 'secret-id' } });
    expect(await written()).toEqual({
      ...{
        level: 'debug',
        service: 'gateway',
        msg: 'request',
        method: 'POST',
        route: '/graphql',
        status: 200,
      },
      ...{
        ms: expect.any(Number),
        requestId: 'r-1',
        user: userId,
        kind: 'query',
        operation: 'Find',
        errors: 0,
      },
    });
    expect(JSON.stringify(lines)).not.toContain('secret-id');
    expect(JSON.stringify(lines)).not.toContain(authorization.slice(-20));
  });

  test('counts errors, also of what never ran', async () => {
    await post(gateway, '{ a: fails(code: "A") b: fails(code: "B") }');
    const line = await written();
    expect(line).toMatchObject({ kind: 'query', errors: 2 });
    expect(line).not.toHaveProperty('operation');
    expect(line).not.toHaveProperty('user');
    lines.length = 0;
    await post(gateway, '{ boks }');
    expect(await written()).toMatchObject({ status: 400, requestId: expect.any(String), errors: 1 });
    lines.length = 0;
    await post(gateway, '{ books { id } }', { headers: { authorization: 'Bearer x' } });
    expect(await written()).toMatchObject({ status: 401, errors: 1 });
  });

  test('cuts a name that is longer than anybody needs', async () => {
    await post(gateway, `mutation ${'N'.repeat(5_000)} { rename(id: "1", title: "x") { id } }`);
    expect(await written()).toMatchObject({ kind: 'mutation', operation: 'N'.repeat(100) });
  });

  test('is there for sockets too', async () => {
    const socket = await openSocket(gateway.url, { authorization: await issuer.bearer(userId) });
    socket.subscribe('1', 'query Once { fails(code: "A") }');
    await socket.next();
    expect(await written('websocket')).toMatchObject({
      kind: 'query',
      operation: 'Once',
      user: userId,
      errors: 1,
    });
    lines.length = 0;
    socket.subscribe('2', 'subscription Live { bookAdded { id } }');
    expect(await written('websocket')).toMatchObject({ kind: 'subscription', operation: 'Live', errors: 0 });
    socket.close();
    await until(() => library.events.listeners() === 0);
  });
});
