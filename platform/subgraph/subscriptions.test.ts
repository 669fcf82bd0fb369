import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { problem } from '../errors.js';
import { type Channel, createChannel } from '../live/channel.js';
import { noteCommit } from '../live/commit-time.js';
import { metrics } from '../metrics.js';
import { openSocket, type TestSocket } from '../testing/socket.js';
import { serveSchema, type TestContext } from '../testing/subgraph.js';

const sdl = `
  type Query { me: String  boom: String }
  type Event { n: Int!  serial: Int!  user: String }
  type Subscription { events(from: Int!): Event!  changes: Event!  boom: Event!  refused: Event! }`;

let service: Awaited<ReturnType<typeof serveSchema>>;
let channel: Channel<number>;
let changes: Channel<object>;
let closed: number;
let opened: TestSocket[];

beforeEach(async () => {
  closed = 0;
  opened = [];
  channel = createChannel<number>({
    onClose: () => {
      closed += 1;
    },
    limit: 100,
    overflow: () => new Error('too slow'),
  });
  changes = createChannel<object>({
    onClose: () => {},
    limit: 100,
    overflow: () => new Error('too slow'),
  });
  const resolve = (n: unknown, _args: unknown, { serial, principal }: TestContext) => {
    if (n === 13) throw new Error('a secret of the database');
    if (n === 14) throw problem('FORBIDDEN', 'not for you');
    return { n, serial, user: principal?.userId };
  };
  service = await serveSchema(sdl, {
    Query: {
      me: (_source, _args, { principal }) => principal?.userId,
      boom: () => {
        throw new Error('a secret of the database');
      },
    },
    Subscription: {
      events: { subscribe: () => channel, resolve },
      changes: { subscribe: () => changes, resolve: (change) => change },
      boom: {
        subscribe: () => {
          throw new Error('a secret of the database');
        },
        resolve,
      },
      refused: {
        subscribe: () => {
          throw problem('NOT_FOUND', 'There is no such order.');
        },
        resolve,
      },
    },
  });
});
afterEach(async () => {
  for (const socket of opened) socket.close();
  await service.close();
});

async function open(init: Record<string, unknown> = {}): Promise<TestSocket> {
  const socket = await openSocket(service.url, init);
  opened.push(socket);
  expect(await socket.next()).toEqual({ type: 'connection_ack' });
  return socket;
}

const token = async (id: string) =>
  `Bearer ${(await service.tokens.signer.sign({ id, role: 'CUSTOMER' })).accessToken}`;
const query = 'subscription ($from: Int!) { events(from: $from) { n serial user } }';
const subscribe = (socket: TestSocket, id: string, extensions?: Record<string, unknown>) =>
  socket.subscribe(id, { query, variables: { from: 0 }, ...(extensions && { extensions }) });

const running = async () =>
  (await metrics.subscriptions.get()).values.find(({ labels }) => labels.service === 'test')?.value ?? 0;
const withCode = (code: string) => [
  expect.objectContaining({ extensions: expect.objectContaining({ code }) }),
];
const masked = [
  {
    message: expect.stringMatching(/^Something went wrong here; the error id is [0-9a-f-]{36}\.$/),
    extensions: { code: 'INTERNAL_SERVER_ERROR', errorId: expect.any(String) },
  },
];

test('each event is resolved in a context of its own', async () => {
  const socket = await open();
  subscribe(socket, 's');
  for (const n of [1, 2]) channel.push(n);
  const serials = [];
  for (const n of [1, 2]) {
    const { payload } = await socket.next();
    const { events } = (payload as { data: { events: { n: number; serial: number } } }).data;
    expect(events.n).toBe(n);
    serials.push(events.serial);
  }
  expect(new Set(serials).size).toBe(2);
  channel.end();
  expect(await socket.next()).toEqual({ id: 's', type: 'complete' });
});

test('an event that knows when it was committed says so, and no other', async () => {
  const socket = await open();
  socket.subscribe('s', { query: 'subscription { changes { n } }' });
  const [stored, live] = [{ n: 1 }, { n: 2 }];
  noteCommit(live, new Date(1_790_000_000_123));
  for (const change of [stored, live]) changes.push(change);
  expect((await socket.next()).payload).toEqual({ data: { changes: { n: 1 } } });
  expect((await socket.next()).payload).toEqual({
    data: { changes: { n: 2 } },
    extensions: { committedAt: 1_790_000_000_123 },
  });
});

test("an operation's own authorization counts before the socket's", async () => {
  const [mine, theirs] = [randomUUID(), randomUUID()];
  const socket = await open({ authorization: await token(mine) });
  socket.subscribe('1', { query: '{ me }' });
  expect(await socket.next()).toMatchObject({ payload: { data: { me: mine } } });
  await socket.next();
  socket.subscribe('2', { query: '{ me }', extensions: { authorization: await token(theirs) } });
  expect(await socket.next()).toMatchObject({ payload: { data: { me: theirs } } });
  await socket.next();
  subscribe(socket, '3', { authorization: await token(theirs) });
  channel.push(1);
  expect(await socket.next()).toMatchObject({ id: '3', payload: { data: { events: { user: theirs } } } });
});

test('a wrong authorization of an operation is an error message; the socket stays', async () => {
  const socket = await open();
  socket.subscribe('1', { query: '{ me }', extensions: { authorization: 'Bearer a.b.c' } });
  expect(await socket.next()).toEqual({ id: '1', type: 'error', payload: withCode('UNAUTHENTICATED') });
  socket.subscribe('2', { query: '{ me }' });
  expect(await socket.next()).toMatchObject({ id: '2', type: 'next', payload: { data: { me: null } } });
});

test.each([
  ['that does not parse', { query: '{' }, 'GRAPHQL_PARSE_FAILED'],
  ['that is not valid', { query: '{ nonsense }' }, 'GRAPHQL_VALIDATION_FAILED'],
  [
    'whose name is not in the document',
    { query: 'query A { me }', operationName: 'B' },
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'that does not say which of two it is',
    { query: 'query A { me } query B { me }' },
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'with @include at the root of a subscription',
    {
      query: 'subscription ($a: Boolean!) { events(from: 1) @include(if: $a) { n } }',
      variables: { a: true },
    },
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['of a type that the schema does not have', { query: 'mutation { a }' }, 'GRAPHQL_VALIDATION_FAILED'],
  ['without a variable that it needs', { query }, 'BAD_USER_INPUT'],
  ['with a variable of another type', { query, variables: { from: 'x' } }, 'BAD_USER_INPUT'],
])('an operation %s is an error message with a code; the socket stays', async (_, payload, code) => {
  const socket = await open();
  socket.subscribe('1', payload);
  expect(await socket.next()).toEqual({ id: '1', type: 'error', payload: withCode(code) });
  socket.subscribe('1', { query: '{ me }' });
  expect(await socket.next()).toMatchObject({ id: '1', type: 'next' });
});

test('an error that nobody meant for a client shows an id and no detail, wherever it happens', async () => {
  const socket = await open();
  socket.subscribe('query', { query: '{ boom }' });
  expect(await socket.next()).toMatchObject({ payload: { data: { boom: null }, errors: masked } });
  await socket.next();
  socket.subscribe('start', { query: 'subscription { boom { n } }' });
  expect(await socket.next()).toMatchObject({ id: 'start', type: 'error', payload: masked });
  subscribe(socket, 'event');
  channel.push(13);
  expect(await socket.next()).toMatchObject({ id: 'event', payload: { errors: masked } });
  channel.push(14);
  expect(await socket.next()).toMatchObject({ id: 'event', payload: { errors: withCode('FORBIDDEN') } });
  channel.end(new Error('a secret of the database'));
  expect(await socket.next()).toMatchObject({ id: 'event', type: 'error', payload: masked });
});

test('a subscription that is refused at its start is an error message, and its id is free', async () => {
  const socket = await open();
  socket.subscribe('s', { query: 'subscription { refused { n } }' });
  expect(await socket.next()).toEqual({ id: 's', type: 'error', payload: withCode('NOT_FOUND') });
  socket.subscribe('s', { query: '{ me }' });
  expect(await socket.next()).toMatchObject({ id: 's', type: 'next' });
});

test('a stream that ends with a refusal tells it, and the socket stays', async () => {
  const socket = await open();
  subscribe(socket, 's');
  channel.push(1);
  channel.end(problem('NOT_FOUND', 'There is no such order.'));
  expect(await socket.next()).toMatchObject({ id: 's', type: 'next' });
  expect(await socket.next()).toEqual({ id: 's', type: 'error', payload: withCode('NOT_FOUND') });
  await expect.poll(running).toBe(0);
  socket.send({ type: 'ping' });
  expect(await socket.next()).toEqual({ type: 'pong' });
});

test.each(['completes it', 'goes away'])('a client that %s frees the source', async (how) => {
  const socket = await open();
  subscribe(socket, 's');
  channel.push(1);
  await socket.next();
  expect(await running()).toBe(1);
  if (how === 'goes away') socket.close();
  else socket.send({ id: 's', type: 'complete' });
  await expect.poll(() => closed).toBe(1);
  await expect.poll(running).toBe(0);
});
