import { GraphQLError } from 'graphql';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { metrics } from '../../platform/metrics.js';
import type { Gateway } from '../index.js';
import { openSocket, type SocketClient } from '../testing/client.js';
import { startClockwork } from '../testing/clockwork.js';
import { type Issuer, startTestGateway, until } from '../testing/gateway.js';
import type { TestSubgraph } from '../testing/subgraph.js';
import { type Clock, startLabels, startTicks, ticksSupergraph } from '../testing/ticks.js';

let clock: Clock;
let counts: { fetched: number };
let ticks: TestSubgraph;
let labels: TestSubgraph;
let issuer: Issuer;
let gateway: Gateway;
let one: string;
let other: string;

beforeEach(async () => {
  ({ clock, counts, ticks, labels, issuer } = await startClockwork());
  gateway = await start();
  one = await issuer.bearer('0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11');
  other = await issuer.bearer('0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a12');
});
afterEach(async () => {
  await gateway.stop();
  await Promise.all([ticks.stop(), labels.stop(), issuer.stop()]);
});

const supergraph = (replace?: (sdl: string) => string) =>
  ticksSupergraph({ ticks: ticks.url, labels: labels.url }, replace);

const start = (options: Partial<Parameters<typeof startTestGateway>[0]> = {}) =>
  startTestGateway({ supergraph: supergraph(), jwksUrl: issuer.jwksUrl, ...options });

/** How many subscriptions the gateway has open at the subgraph. */
const upstreams = () => metrics.upstreamOperations.labels('ticks').value;

/** Waits until so many subscriptions run, and all that they have in common is shared. */
const running = (count: number, opened = 1) =>
  until(async () => {
    const { values: all } = await metrics.subscriptions.get();
    const mine = all.find(({ labels: { service } }) => service === 'gateway');
    return mine?.value === count && upstreams() === opened;
  });

async function open(authorization?: string): Promise<SocketClient> {
  const socket = await openSocket(gateway.url, authorization === undefined ? {} : { authorization });
  onTestFinished(() => socket.close());
  return socket;
}

const shared = 'subscription ($after: ID) { ticks(name: "a", after: $after) { cursor value } }';
const values = async (socket: SocketClient, count: number, id?: string): Promise<unknown[]> => {
  const seen: unknown[] = [];
  while (seen.length < count) {
    const message = await socket.next();
    if (id !== undefined && message.id !== id) continue;
    seen.push((message.payload as { data?: { ticks?: { value: number } } }).data?.ticks?.value ?? message);
  }
  return seen;
};

test('who asks for the same shares one subscription of the subgraph, whatever names the operations have', async () => {
  clock.tick('a');
  const socket = await open(one);
  socket.subscribe('1', shared);
  expect(await values(socket, 1)).toEqual([1]);
  socket.subscribe('2', 'subscription Named($from: ID) { ticks(after: $from, name: "a") { cursor value } }');
  socket.subscribe(
    '3',
    `subscription {
    ticks(name: "a", after: null) { cursor, value }
  }`,
  );
  expect(await values(socket, 2)).toEqual([1, 1]);
  await running(3);
  clock.tick('a');
  expect(await values(socket, 3)).toEqual([2, 2, 2]);
});

test('one subscription is enough for all, once they have had the present state', async () => {
  clock.tick('a');
  const sockets = await Promise.all(
    Array.from({ length: 20 }, (_, n) => open([one, other, undefined][n % 3])),
  );
  for (const socket of sockets) socket.subscribe('1', shared);
  for (const socket of sockets) expect(await values(socket, 1)).toEqual([1]);
  await running(20);
  for (let n = 0; n < 5; n++) clock.tick('a');
  for (const socket of sockets) expect(await values(socket, 5)).toEqual([2, 3, 4, 5, 6]);
  expect(upstreams()).toBe(1);
});

test('what depends on who asks is shared by those of one person alone', async () => {
  clock.tick('a');
  const query = 'subscription { ticks(name: "a") { value seenBy } }';
  const [mine, mineToo, theirs] = [await open(one), await open(one), await open(other)];
  for (const socket of [mine, mineToo, theirs]) {
    socket.subscribe('1', query);
    await socket.next();
  }
  await running(3, 2);
  clock.tick('a');
  const seen = async (socket: SocketClient) => (await socket.next()).payload;
  expect(await seen(mine)).toEqual({ data: { ticks: { value: 2, seenBy: one } } });
  expect(await seen(mineToo)).toEqual({ data: { ticks: { value: 2, seenBy: one } } });
  expect(await seen(theirs)).toEqual({ data: { ticks: { value: 2, seenBy: other } } });
});

test('an event is completed once for all', async () => {
  clock.tick('a');
  const query = 'subscription { ticks(name: "a") { value label } }';
  const sockets = await Promise.all(Array.from({ length: 10 }, () => open(one)));
  for (const socket of sockets) socket.subscribe('1', query);
  for (const socket of sockets) await socket.next();
  await running(10);
  counts.fetched = 0;
  clock.tick('a');
  for (const socket of sockets)
    expect((await socket.next()).payload).toEqual({ data: { ticks: { value: 2, label: 'the tick a:2' } } });
  expect(counts.fetched).toBe(1);
});

test('who comes back with a cursor gets all that was since, and then what all get', async () => {
  for (let n = 0; n < 5; n++) clock.tick('a');
  const first = await open(one);
  first.subscribe('1', shared);
  expect(await values(first, 1)).toEqual([5]);
  for (const [authorization, at] of [
    [one, 2],
    [other, 2],
    [one, 5],
    [other, 5],
    [other, 4],
  ] as const) {
    const late = await open(authorization);
    late.subscribe('1', shared, { after: `a/${at}` });
    expect(await values(late, 5 - at)).toEqual([3, 4, 5].slice(at - 2));
    await running(2);
    late.close();
    await running(1);
  }
  const [late, never] = [await open(other), await open(one)];
  late.subscribe('1', shared, { after: 'a/5' });
  never.subscribe('1', shared, { after: 'a/5' });
  await running(3);
  clock.tick('a');
  for (const socket of [first, late, never]) expect(await values(socket, 1)).toEqual([6]);
});

test('a cursor of the future is refused, and harms nobody else', async () => {
  clock.tick('a');
  const [early, fine] = [await open(one), await open(other)];
  early.subscribe('1', shared, { after: 'a/9' });
  fine.subscribe('1', shared);
  expect(await early.next()).toMatchObject({
    type: 'error',
    payload: [{ extensions: { code: 'BAD_USER_INPUT' } }],
  });
  expect(await values(fine, 1)).toEqual([1]);
  clock.tick('a');
  expect(await values(fine, 1)).toEqual([2]);
});

test.each(['cut', 1000, 1001, 1011, 1012, 4400, 'restart'] as const)(
  'a socket to the subgraph that ends (%s) shows as nothing but delay',
  async (how) => {
    clock.tick('a');
    const sockets = await Promise.all([open(one), open(other)]);
    for (const socket of sockets) {
      socket.subscribe('1', shared);
      socket.subscribe('2', 'subscription { plain(name: "a") { value } }');
      expect((await socket.next()).type).toBe('next');
      expect((await socket.next()).type).toBe('next');
    }
    if (how === 'cut') ticks.cutSockets();
    else if (how === 'restart') await ticks.stop();
    else ticks.closeSockets(how);
    clock.tick('a');
    if (how === 'restart') ticks = await startTicks(clock, ticks.port);
    clock.tick('a');
    for (const socket of sockets) expect(await values(socket, 2, '1')).toEqual([2, 3]);
    // Without cursors, the present state is what there is to be had.
    await until(() => clock.listeners() === 3);
    clock.tick('a');
    for (const socket of sockets) expect(await values(socket, 1, '1')).toEqual([4]);
  },
);

test('a subgraph that is away for too long is an error that says to try again', async () => {
  await gateway.stop();
  gateway = await start({ subscriptionPatienceMs: 300 });
  const socket = await open(one);
  socket.subscribe('1', shared);
  await until(() => clock.listeners() === 1);
  await ticks.stop();
  expect(await socket.next()).toEqual({
    id: '1',
    type: 'error',
    payload: [
      {
        message: 'The ticks service is unavailable.',
        extensions: { code: 'SERVICE_UNAVAILABLE', service: 'ticks' },
      },
    ],
  });
  expect(upstreams()).toBe(0);
  ticks = await startTicks(clock, ticks.port);
});

test('a subgraph that cannot now is asked again, from where it was', async () => {
  clock.tick('a');
  const socket = await open(one);
  socket.subscribe('1', shared);
  expect(await values(socket, 1)).toEqual([1]);
  let faults = 0;
  clock.fault = ({ value }) =>
    value === 3 && faults++ < 2
      ? new GraphQLError('Not now.', { extensions: { code: 'SERVICE_UNAVAILABLE' } })
      : undefined;
  for (let n = 0; n < 4; n++) clock.tick('a');
  expect(await values(socket, 4)).toEqual([2, 3, 4, 5]);
  expect(faults).toBe(3);
});

test('a subgraph that begins again with the event of the cursor tells nothing twice', async () => {
  const watch = clock.watch.bind(clock);
  clock.watch = (name, after, token) => {
    const value = Number(after?.split('/')[1]);
    return watch(name, value > 0 ? `${name}/${value - 1}` : undefined, token);
  };
  clock.tick('a');
  const socket = await open(one);
  socket.subscribe('1', shared);
  expect(await values(socket, 1)).toEqual([1]);
  ticks.cutSockets();
  clock.tick('a');
  expect(await values(socket, 1)).toEqual([2]);
});

test('an event waits for those who complete it, with those after it', async () => {
  const socket = await open(one);
  socket.subscribe('1', 'subscription { ticks(name: "a") { value label } }');
  await until(() => clock.listeners() === 1);
  await labels.stop();
  clock.tick('a');
  clock.tick('a');
  labels = await startLabels(counts, labels.port);
  for (const value of [1, 2])
    expect((await socket.next()).payload).toEqual({
      data: { ticks: { value, label: `the tick a:${value}` } },
    });
});

test('one who may not see it any more is told so, and the others go on', async () => {
  clock.tick('a');
  const [first, second, third] = [await open(one), await open(other), await open()];
  for (const socket of [first, second, third]) {
    socket.subscribe('1', shared);
    expect(await values(socket, 1)).toEqual([1]);
  }
  await running(3);
  clock.barred.add(one);
  clock.tick('a');
  expect(await first.next()).toMatchObject({
    type: 'error',
    payload: [{ extensions: { code: 'FORBIDDEN' } }],
  });
  for (const socket of [second, third]) expect(await values(socket, 1)).toEqual([2]);
  second.close();
  await running(1);
  clock.tick('a');
  expect(await values(third, 1)).toEqual([3]);
});

test('it completes for all once nothing can come any more', async () => {
  clock.tick('a');
  const sockets = [await open(one), await open(other)];
  for (const socket of sockets) {
    socket.subscribe('1', shared);
    expect(await values(socket, 1)).toEqual([1]);
  }
  clock.tick('a');
  clock.end('a');
  for (const socket of sockets) {
    expect(await values(socket, 1)).toEqual([2]);
    expect(await socket.next()).toEqual({ id: '1', type: 'complete' });
  }
  expect(upstreams()).toBe(0);
});
