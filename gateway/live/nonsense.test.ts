import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import type { Gateway } from '../index.js';
import { openSocket } from '../testing/client.js';
import { executorOfTests, startTestGateway } from '../testing/gateway.js';
import { librarySupergraph } from '../testing/library.js';
import { deepList } from '../testing/parrots.js';

/** What books says to each subscription, word for word, before it completes it. */
let said = '';
const server = createServer((_request, response) => response.end('{"status":"ready"}'));
new WebSocketServer({ server, path: '/graphql', handleProtocols: () => 'graphql-transport-ws' }).on(
  'connection',
  (socket) =>
    socket.on('message', (data) => {
      const { id, type } = JSON.parse(String(data));
      if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
      if (type !== 'subscribe') return;
      socket.send(`{"id":"${id}",${said}}`);
      socket.send(`{"id":"${id}","type":"complete"}`);
    }),
);

let gateway: Gateway;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  gateway = await startTestGateway({
    supergraph: librarySupergraph(),
    subgraphUrls: { books: url, authors: url },
    subscriptionPatienceMs: 500,
  });
});
afterAll(async () => {
  await gateway.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function told(words: string): Promise<{ type: string; payload?: unknown }> {
  said = words;
  const socket = await openSocket(gateway.url);
  socket.subscribe('1', 'subscription { maybeBook { title pages } }');
  const message = await socket.next();
  socket.close();
  return message;
}

const unavailable = {
  message: 'The books service is unavailable.',
  extensions: { code: 'SERVICE_UNAVAILABLE', service: 'books' },
};
const no = { message: 'No.', extensions: { code: 'CONFLICT' } };
const noJson = JSON.stringify(no);
const nothing = { maybeBook: null };

test.each([
  ['data is a text', '{"data":"x"}', { data: nothing, errors: [unavailable] }],
  ['data is a list', '{"data":[1]}', { data: nothing, errors: [unavailable] }],
  ['data is null without a reason', '{"data":null}', { data: nothing, errors: [unavailable] }],
  ['errors are no list', '{"data":{"maybeBook":null},"errors":{}}', { data: nothing, errors: [unavailable] }],
  [
    'errors are none',
    `{"data":{"maybeBook":null},"errors":[null,7,{"message":8},${noJson}]}`,
    { data: nothing, errors: [no, unavailable] },
  ],
  ['extensions are a list', '{"data":{"maybeBook":null},"extensions":[1]}', { data: nothing }],
])('an event whose %s arrives as an error that names the service', async (_what, payload, expected) => {
  expect(await told(`"type":"next","payload":${payload}`)).toMatchObject({ type: 'next', payload: expected });
});

test('an event with a value that is nested without end comes at once, without the value', async () => {
  const book = `{"__typename":"Book","title":"Kim","pages":${deepList(100_000)}}`;
  const { payload } = await told(`"type":"next","payload":{"data":{"maybeBook":${book}}}`);
  expect(payload).toMatchObject({ data: { maybeBook: { title: 'Kim', pages: null } } });
  // Apollo's executor tells of no value that does not fit.
  if (executorOfTests() === 'doorstep')
    expect(payload).toMatchObject({
      errors: [{ path: ['maybeBook', 'pages'], extensions: { service: 'books' } }],
    });
});

test.each([
  ['no reasons at all', '"type":"next","payload":{}', [unavailable]],
  ['reasons that are no list', '"type":"next","payload":{"errors":{}}', [unavailable]],
  ['reasons that are none', '"type":"error","payload":[{"message":7}]', [unavailable]],
  ['some that are none', `"type":"error","payload":[{"message":7},${noJson}]`, [no]],
])('a refusal with %s ends the subscription with those that there are', async (_what, words, expected) => {
  expect(await told(words)).toMatchObject({ type: 'error', payload: expected });
});
