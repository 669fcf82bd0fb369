import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { metrics } from '../../platform/metrics.js';
import { until as waitUntil } from '../../platform/testing/until.js';
import type { Gateway } from '../index.js';
import { openSocket, type SocketClient } from '../testing/client.js';
import { startClockwork } from '../testing/clockwork.js';
import { memoryInUse } from '../testing/garbage.js';
import { type Issuer, startTestGateway, until } from '../testing/gateway.js';
import type { TestSubgraph } from '../testing/subgraph.js';
import { type Clock, startLabels, startTicks, ticksSupergraph } from '../testing/ticks.js';

let clock: Clock;
let ticks: TestSubgraph;
let labels: TestSubgraph;
let issuer: Issuer;
let gateway: Gateway;
let socket: SocketClient;

const supergraph = (replace?: (sdl: string) => string, urls: { ticks?: string } = {}) =>
  ticksSupergraph({ ticks: ticks.url, labels: labels.url, ...urls }, replace);

beforeEach(async () => {
  ({ clock, ticks, labels, issuer } = await startClockwork());
  gateway = await startTestGateway({ supergraph: supergraph(), jwksUrl: issuer.jwksUrl });
  socket = await open();
  clock.tick('a');
});
afterEach(async () => {
  await gateway.stop();
  await Promise.all([ticks.stop(), labels.stop(), issuer.stop()]);
});

async function open(init: Record<string, unknown> = {}): Promise<SocketClient> {
  const opened = await openSocket(gateway.url, init);
  onTestFinished(() => opened.close());
  return opened;
}

const upstreams = () => metrics.upstreamOperations.labels('ticks').value;
const running = async () =>
  (await metrics.subscriptions.get()).values.find(({ labels: { service } }) => service === 'gateway')
    ?.value ?? 0;
const query = 'subscription { ticks(name: "a") { cursor value label } }';
const tick = (value: number) => ({
  data: { ticks: { cursor: `a/${value}`, value, label: `the tick a:${value}` } },
});
const named = (text = '') => text.replace('subscription', 'subscription N');
const misfit = { type: 'error', payload: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] };
const next = async (from = socket) => (await from.next()).payload;

describe('a new supergraph', () => {
  test('leaves alone what it has too', async () => {
    socket.subscribe('1', query);
    expect(await next()).toEqual(tick(1));
    const before = ticks.counted.sockets;
    let began = 0;
    clock.onWatch = () => began++;
    await gateway.swap(supergraph((sdl) => sdl.replace('now: Int', 'now: Int then: Int')));
    clock.tick('a');
    expect(await next()).toEqual(tick(2));
    expect([began, ticks.counted.sockets]).toEqual([0, before]);
  });

  test('with its subgraph elsewhere takes it up there, where it was', async () => {
    socket.subscribe('1', query);
    expect(await next()).toEqual(tick(1));
    const moved = await startTicks(clock);
    onTestFinished(() => moved.stop());
    clock.tick('a');
    await gateway.swap(supergraph(undefined, { ticks: moved.url }));
    clock.tick('a');
    expect([await next(), await next()]).toEqual([tick(2), tick(3)]);
    await until(() => ticks.sockets() === 0);
  });

  test('that has its field no more ends it, and says why; the others go on', async () => {
    socket.subscribe('1', 'subscription { ticks(name: "a") { cursor seenBy } }');
    socket.subscribe('2', query);
    expect([await next(), await next()]).toHaveLength(2);
    await gateway.swap(supergraph((sdl) => sdl.replace('seenBy: String', '')));
    expect(await socket.next()).toEqual({
      id: '1',
      type: 'error',
      payload: [
        {
          message: expect.stringMatching(/^The schema has changed.*"seenBy"/),
          extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
        },
      ],
    });
    clock.tick('a');
    expect(await socket.next()).toEqual({ id: '2', type: 'next', payload: tick(2) });
    expect(upstreams()).toBe(1);
  });

  test('ends those who ask for what it has not, and the others of their stream go on', async () => {
    const documents = [
      `${query} query Q { now }`,
      query,
      `${query} query R { now }`,
      `${query} query S { now }`,
    ];
    const sockets = await Promise.all(documents.map(() => open()));
    for (const [n, each] of sockets.entries()) {
      each.send({ id: '1', type: 'subscribe', payload: { query: named(documents[n]), operationName: 'N' } });
      expect(await next(each)).toEqual(tick(1));
    }
    await until(() => upstreams() === 1);
    await gateway.swap(supergraph((sdl) => sdl.replace('now: Int', 'later: Int')));
    clock.tick('a');
    for (const [n, each] of sockets.entries())
      if (n === 1) expect(await next(each)).toEqual(tick(2));
      else expect(await each.next()).toMatchObject(misfit);
    expect(await running()).toBe(1);
  });

  test('in which nobody who has joined a stream fits leaves those who catch up', async () => {
    const [token, late] = await Promise.all([
      issuer.bearer('0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11'),
      issuer.bearer('0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a12'),
    ]);
    const sockets = await Promise.all([
      open(),
      open({ authorization: token }),
      open({ authorization: late }),
    ]);
    const [first, lost, fits] = sockets as [SocketClient, SocketClient, SocketClient];
    const ask = (each: SocketClient, text: string) =>
      each.send({ id: '1', type: 'subscribe', payload: { query: named(text), operationName: 'N' } });
    ask(first, `${query} query Q { now }`);
    expect(await next(first)).toEqual(tick(1));
    const look = [clock.hold(token), clock.hold(late)];
    ask(lost, `${query} query Q { now }`);
    ask(fits, query);
    await until(() => upstreams() === 3);
    await gateway.swap(supergraph((sdl) => sdl.replace('now: Int', 'later: Int')));
    for (const each of [first, lost]) expect(await each.next()).toMatchObject(misfit);
    await until(() => upstreams() === 1);
    for (const each of look) each();
    expect(await next(fits)).toEqual(tick(1));
    clock.tick('a');
    expect(await next(fits)).toEqual(tick(2));
  });

  test('in which it is not the same for all any more parts those who shared it, where they were', async () => {
    const [one, two] = await Promise.all([
      open({ authorization: await issuer.bearer('0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11') }),
      open({ authorization: await issuer.bearer('0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a12') }),
    ]);
    for (const each of [one, two]) {
      each.subscribe('1', query);
      expect(await next(each)).toEqual(tick(1));
    }
    await until(() => upstreams() === 1);
    await gateway.swap(supergraph((sdl) => sdl.replace('value: Int! @shared', 'value: Int!')));
    expect(upstreams()).toBe(2);
    clock.tick('a');
    for (const each of [one, two]) expect(await next(each)).toEqual(tick(2));
    await gateway.swap(supergraph());
    await until(() => upstreams() === 1);
    clock.tick('a');
    for (const each of [one, two]) expect(await next(each)).toEqual(tick(3));
  });

  test('does not wait for subscriptions: the one before it is closed', async () => {
    socket.subscribe('1', query);
    expect(await next()).toEqual(tick(1));
    const moved = await startLabels({ fetched: 0 });
    onTestFinished(() => moved.stop());
    await gateway.swap(ticksSupergraph({ ticks: ticks.url, labels: moved.url }));
    await until(async () => (await labels.connections()) === 0);
    clock.tick('a');
    expect(await next()).toEqual(tick(2));
  });
});

test('a token that ends closes its own socket alone, and what is shared goes on', async () => {
  const [one, two] = await Promise.all([
    open({ authorization: await issuer.bearer('0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11', 1_500) }),
    open({ authorization: await issuer.bearer('0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a12') }),
  ]);
  for (const each of [one, two]) {
    each.subscribe('1', query);
    expect(await next(each)).toEqual(tick(1));
  }
  expect(await one.closed).toEqual({ code: 4403, reason: 'Forbidden: the access token has expired' });
  clock.tick('a');
  expect(await next(two)).toEqual(tick(2));
  ticks.cutSockets();
  clock.tick('a');
  expect(await next(two)).toEqual(tick(3));
});

test('a token that ends frees what its socket had at once, though its client does not answer the close', async () => {
  const one = await open({
    authorization: await issuer.bearer('0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11', 1_500),
  });
  one.subscribe('1', query);
  expect(await next(one)).toEqual(tick(1));
  one.pause();
  await waitUntil('nothing runs for it', () => clock.listeners() === 0, 5_000);
});

test('a client that goes away frees all that only it needed, within a second', async () => {
  socket.subscribe('1', query);
  socket.subscribe('2', 'subscription { ticks(name: "b") { value } }');
  await until(() => clock.listeners() === 2);
  const began = performance.now();
  socket.close();
  await until(() => clock.listeners() === 0);
  expect(performance.now() - began).toBeLessThan(1_000);
});

test('a stop tells clients to come back', async () => {
  socket.subscribe('1', query);
  expect(await next()).toEqual(tick(1));
  await gateway.stop();
  expect(await socket.closed).toEqual({ code: 1012, reason: 'Service restart' });
  expect([clock.listeners(), upstreams()]).toEqual([0, 0]);
});

test('a thousand that come and go leave nothing behind', { timeout: 120_000 }, async () => {
  const come = async (n: number) => {
    const opened = await openSocket(gateway.url, n % 3 === 0 ? {} : { authorization: tokens[n % 3] });
    opened.subscribe('1', query);
    if (n % 2 === 0) opened.subscribe('2', `subscription { ticks(name: "${n % 7}") { value seenBy } }`);
    if (n % 5 !== 0) await opened.next();
    if (n % 4 === 0) opened.cut();
    else opened.close();
    await opened.closed;
  };
  const tokens = [
    undefined,
    ...(await Promise.all([issuer.bearer(undefined, 600_000), issuer.bearerOf('ADMIN')])),
  ];
  const round = async (count: number) => {
    for (let n = 0; n < count; n += 20) await Promise.all(Array.from({ length: 20 }, (_, k) => come(n + k)));
    await until(async () => (await running()) === 0 && upstreams() === 0 && clock.listeners() === 0);
    await until(() => ticks.sockets() <= 1);
    return { ...(await memoryInUse()), timers: activeTimers() };
  };
  await round(400);
  const before = await round(200);
  const after = await round(1_000);
  expect(after.timers).toBeLessThanOrEqual(before.timers + 2);
  expect(after.heap).toBeLessThan(before.heap * 1.1);
});

const activeTimers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
