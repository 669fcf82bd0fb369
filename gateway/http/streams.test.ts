import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { metrics } from '../../platform/metrics.js';
import { recordingLog } from '../../platform/testing/log.js';
import type { Gateway } from '../index.js';
import { openSocket } from '../testing/client.js';
import { startClockwork } from '../testing/clockwork.js';
import { memoryInUse } from '../testing/garbage.js';
import { type Issuer, post, startTestGateway, until } from '../testing/gateway.js';
import { coded, failure, lastOf, openStream, type StreamName } from '../testing/stream.js';
import type { TestSubgraph } from '../testing/subgraph.js';
import { type Clock, ticksSupergraph } from '../testing/ticks.js';

let clock: Clock;
let ticks: TestSubgraph;
let labels: TestSubgraph;
let issuer: Issuer;
let gateway: Gateway;

beforeEach(async () => {
  ({ clock, ticks, labels, issuer } = await startClockwork());
});
afterEach(async () => {
  await gateway.stop();
  await Promise.all([ticks.stop(), labels.stop(), issuer.stop()]);
});

type Options = Partial<Parameters<typeof startTestGateway>[0]>;
async function start(options: Options = {}): Promise<void> {
  const supergraph = ticksSupergraph({ ticks: ticks.url, labels: labels.url });
  gateway = await startTestGateway({ supergraph, jwksUrl: issuer.jwksUrl, ...options });
}

async function open(name: StreamName, query = shared, options: Parameters<typeof openStream>[3] = {}) {
  const stream = await openStream(gateway.url, name, query, options);
  onTestFinished(() => stream.leave());
  return stream;
}

const shared = 'subscription ($after: ID) { ticks(name: "a", after: $after) { cursor value } }';
const big = (size: number) => `subscription { ticks(name: "${'b'.repeat(size)}") { cursor value } }`;
const tick = (value: number) => ({ data: { ticks: { cursor: `a/${value}`, value } } });
const next = (value: number, name: StreamName) => ({
  type: 'next',
  payload: tick(value),
  ...(name === 'sse' && { id: `a/${value}` }),
});
const upstreams = () => metrics.upstreamOperations.labels('ticks').value;
const openStreams = (name: StreamName) => metrics.streams.labels('gateway', name).value;
const ended = (name: StreamName, reason: string) =>
  metrics.streamsEnded.labels('gateway', name, reason).value;

describe.each(['doorstep', 'apollo'] as const)('%s:', (executor) => {
  test.each(['sse', 'multipart'] as const)('%s brings events as they come, to the end', async (name) => {
    await start({ executor });
    clock.tick('a');
    const stream = await open(name, 'subscription { ticks(name: "a") { value label } }');
    const labelled = (value: number) => ({ data: { ticks: { value, label: `the tick a:${value}` } } });
    expect(await stream.next()).toMatchObject({ type: 'next', payload: labelled(1) });
    clock.tick('a');
    expect(await stream.next()).toMatchObject({ type: 'next', payload: labelled(2) });
    clock.end('a');
    expect(await stream.next()).toEqual({ type: 'complete' });
    expect(await stream.next()).toEqual({ type: 'end', isWhole: true });
    expect([stream.status, stream.headers['content-type'], openStreams(name)]).toEqual([
      200,
      name === 'sse'
        ? 'text/event-stream; charset=utf-8'
        : 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
      0,
    ]);
    expect(stream.headers).toMatchObject({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    expect(stream.headers).not.toHaveProperty('content-encoding');
  });

  test('a query that is to be a stream is one of one answer', async () => {
    await start({ executor });
    for (const name of ['sse', 'multipart'] as const) {
      const headers =
        name === 'multipart' ? { accept: 'multipart/mixed;subscriptionSpec="1.0"' } : ({} as never);
      const stream = await open(name, '{ now }', { headers });
      expect([await stream.next(), await stream.next(), await stream.next(), stream.status]).toEqual([
        { type: 'next', payload: { data: { now: 0 } } },
        { type: 'complete' },
        { type: 'end', isWhole: true },
        200,
      ]);
    }
  });

  test('a subscription that cannot begin is told as any request that cannot', async () => {
    await start({ executor });
    const both = { accept: 'text/event-stream, application/graphql-response+json' };
    for (const [query, code] of [
      ['subscription {', 'GRAPHQL_PARSE_FAILED'],
      ['subscription { tocks }', 'GRAPHQL_VALIDATION_FAILED'],
      ['subscription ($name: String!) { ticks(name: $name) { value } }', 'BAD_USER_INPUT'],
    ] as const) {
      const refused = await open('sse', query, { headers: both });
      expect([refused.status, refused.headers['content-type'], await refused.json()]).toMatchObject([
        400,
        'application/graphql-response+json; charset=utf-8',
        { errors: [{ extensions: { code } }] },
      ]);
      // For who takes application/json a refused operation is an answer of 200, here as everywhere.
      const legacy = await open('multipart', query);
      expect([legacy.status, await legacy.json()]).toMatchObject([
        200,
        { errors: [{ extensions: { code } }] },
      ]);
      // Who takes nothing else is told by the stream, as the protocol has it.
      const stream = await open('sse', query);
      expect([stream.status, await stream.next(), await stream.next()]).toMatchObject([
        200,
        { type: 'next', payload: { errors: [{ extensions: { code } }] } },
        { type: 'complete' },
      ]);
    }
    for (const name of ['sse', 'multipart'] as const) {
      const stranger = await open(name, shared, { headers: { authorization: 'Bearer x.y.z' } });
      expect([stranger.status, await stranger.json()]).toEqual([401, { errors: coded('UNAUTHENTICATED') }]);
    }
    expect([upstreams(), openStreams('sse'), openStreams('multipart')]).toEqual([0, 0, 0]);
  });

  test('who does not accept a stream is refused a subscription', async () => {
    await start({ executor });
    for (const accept of ['*/*', 'application/json', 'multipart/mixed, */*', 'text/*, */*']) {
      const { status, body } = await post(gateway, shared, { headers: { accept } });
      expect([accept, status, body]).toEqual([
        accept,
        accept === 'application/json' ? 200 : 400,
        { errors: coded('GRAPHQL_VALIDATION_FAILED') },
      ]);
    }
    expect((await post(gateway, shared, { headers: { accept: 'text/html' } })).status).toBe(406);
  });
});

describe.each(['sse', 'multipart'] as const)('a stream of %s', (name) => {
  test('shares one subscription of the subgraph with all others', async () => {
    await start();
    clock.tick('a');
    const bearer = await issuer.bearer();
    const socket = await openSocket(gateway.url);
    socket.subscribe('1', shared);
    await socket.next();
    const streams = [await open(name), await open(name, shared, { headers: { authorization: bearer } })];
    for (const stream of streams) expect(await stream.next()).toEqual(next(1, name));
    await until(() => upstreams() === 1);
    clock.tick('a');
    for (const stream of streams) expect(await stream.next()).toEqual(next(2, name));
    expect((await socket.next()).payload).toEqual(tick(2));
    expect(openStreams(name)).toBe(2);
    socket.close();
  });

  test('goes on where it was cut, with all that has happened since', async () => {
    await start();
    clock.tick('a');
    const first = await open(name);
    expect(await first.next()).toEqual(next(1, name));
    first.leave();
    await until(() => upstreams() === 0);
    for (let n = 0; n < 3; n++) clock.tick('a');
    const second = await open(name, shared, { variables: { after: 'a/1' } });
    for (const value of [2, 3, 4]) expect(await second.next()).toEqual(next(value, name));
    clock.tick('a');
    expect(await second.next()).toEqual(next(5, name));
  });

  test('frees all that it held within a second once its client has gone', async () => {
    await start({ socketLimits: { sockets: 1 } });
    clock.tick('a');
    const before = ended(name, 'left');
    const stream = await open(name);
    await stream.next();
    await until(() => upstreams() === 1);
    const since = performance.now();
    stream.leave();
    await until(() => upstreams() === 0 && clock.listeners() === 0 && openStreams(name) === 0);
    expect(performance.now() - since).toBeLessThan(1_000);
    expect(ended(name, 'left')).toBe(before + 1);
    expect(await (await open(name)).next()).toEqual(next(1, name));
  });

  test('ends with the errors of the subscription', async () => {
    await start();
    clock.tick('a');
    const bearer = await issuer.bearer();
    const stream = await open(name, shared, { headers: { authorization: bearer } });
    await stream.next();
    clock.barred.add(bearer);
    clock.ring();
    expect(await lastOf(stream)).toEqual(failure(name, 'FORBIDDEN'));
  });

  test('ends when its token does, and says so; others stay', async () => {
    await start();
    clock.tick('a');
    const headers = { authorization: await issuer.bearer(undefined, 1_500) };
    const [stream, other] = [await open(name, shared, { headers }), await open(name)];
    for (const each of [stream, other]) await each.next();
    expect(await lastOf(stream)).toEqual(failure(name, 'UNAUTHENTICATED'));
    clock.tick('a');
    expect(await other.next()).toEqual(next(2, name));
    await until(() => openStreams(name) === 1);
  });

  test('that is not read is broken off, and others never notice', { timeout: 60_000 }, async () => {
    await start({ socketLimits: { bufferBytes: 256 * 1024 } });
    const long = 'b'.repeat(64 * 1024);
    clock.tick(long);
    const [lazy, quick] = [await open(name, big(long.length)), await open(name, big(long.length))];
    const value = async () => {
      const message = await quick.next();
      return message.type === 'next' && (message.payload as ReturnType<typeof tick>).data.ticks.value;
    };
    expect(await value()).toBe(1);
    await lazy.next();
    lazy.pause();
    const before = ended(name, 'slow');
    let sent = 1;
    // Each event is read by the other client before the next, so only the one that is paused falls behind.
    while (ended(name, 'slow') === before && sent < 3_000) {
      clock.tick(long);
      expect(await value()).toBe(++sent);
    }
    expect([openStreams(name), sent < 3_000]).toEqual([1, true]);
    lazy.resume();
    let message = await lazy.next();
    while (message.type === 'next') message = await lazy.next();
    expect(message).toEqual({
      type: name === 'sse' ? 'interrupted' : 'failed',
      errors: coded('SERVICE_UNAVAILABLE'),
    });
    clock.tick(long);
    expect(await value()).toBe(sent + 1);
  });

  test('that nobody reads any more is cut off', async () => {
    await start({ writeTimeoutMs: 500, socketLimits: { bufferBytes: Number.POSITIVE_INFINITY } });
    const long = 'b'.repeat(256 * 1024);
    clock.tick(long);
    const lazy = await open(name, big(long.length));
    await lazy.next();
    lazy.pause();
    await until(() => {
      clock.tick(long);
      return openStreams(name) === 0;
    });
    await until(() => upstreams() === 0);
  });

  test('is kept alive by heartbeats while nothing happens', async () => {
    await start({ writeTimeoutMs: 450 });
    clock.tick('a');
    const stream = await open(name);
    await stream.next();
    const since = performance.now();
    while (performance.now() - since < 1_500)
      expect(await stream.next({ heartbeats: true })).toEqual({ type: 'heartbeat' });
    clock.tick('a');
    expect(await stream.next()).toEqual(next(2, name));
  });

  test('is broken off when the gateway stops, and can be resumed at the next', async () => {
    await start({ lameDuckMs: 50 });
    clock.tick('a');
    const stream = await open(name);
    await stream.next();
    const stopped = gateway.stop();
    expect(await stream.next()).toEqual({
      type: name === 'sse' ? 'interrupted' : 'failed',
      errors: coded('SERVICE_UNAVAILABLE'),
    });
    expect(await stream.next()).toEqual({ type: 'end', isWhole: true });
    await stopped;
    clock.tick('a');
    await start({ port: gateway.port });
    const again = await open(name, shared, { variables: { after: 'a/1' } });
    expect(await again.next()).toEqual(next(2, name));
  });

  test('goes on by another supergraph, or is told what that has not', async () => {
    await start();
    const urls = { ticks: ticks.url, labels: labels.url };
    clock.tick('a');
    const query = 'subscription { ticks(name: "a") { cursor seenBy } }';
    const [stream, narrow] = [await open(name), await open(name, query)];
    for (const each of [stream, narrow]) await each.next();
    await gateway.swap(ticksSupergraph(urls, (sdl) => sdl.replace('seenBy: String', '')));
    expect(await lastOf(narrow)).toEqual(failure(name, 'GRAPHQL_VALIDATION_FAILED'));
    clock.tick('a');
    expect(await stream.next()).toEqual(next(2, name));
  });

  test('leaves nothing behind, however many come and go', { timeout: 120_000 }, async () => {
    await start();
    clock.tick('a');
    const authorization = await issuer.bearer(undefined, 600_000);
    const come = async (n: number) => {
      const headers: Record<string, string> = n % 2 === 0 ? {} : { authorization };
      const stream = await openStream(gateway.url, name, shared, { headers });
      if (n % 5 !== 0) await stream.next();
      stream.leave();
    };
    const round = async (count: number) => {
      for (let n = 0; n < count; n += 20)
        await Promise.all(Array.from({ length: 20 }, (_, k) => come(n + k)));
      await until(() => openStreams(name) === 0 && upstreams() === 0 && clock.listeners() === 0);
      const timers = process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
      return { ...(await memoryInUse()), timers };
    };
    await round(200);
    const before = await round(100);
    const after = await round(500);
    expect(after.timers).toBeLessThanOrEqual(before.timers + 2);
    expect(after.heap).toBeLessThan(before.heap * 1.1);
  });

  test('takes one of the places that there are for sockets and streams', async () => {
    await start({ socketLimits: { sockets: 2 } });
    clock.tick('a');
    const socket = await openSocket(gateway.url);
    const stream = await open(name);
    await stream.next();
    const refused = await open(name);
    expect([refused.status, refused.headers['retry-after'], await refused.json()]).toEqual([
      503,
      '5',
      { errors: coded('SERVICE_UNAVAILABLE') },
    ]);
    expect(await (await openSocket(gateway.url, null)).closed).toMatchObject({ code: 1013 });
    expect((await post(gateway, '{ now }')).status).toBe(200);
    stream.leave();
    await until(async () => {
      const next = await openStream(gateway.url, name, shared);
      next.leave();
      return next.status === 200;
    });
    socket.close();
  });

  test('takes one of the places of its user or address', async () => {
    await start({ socketLimits: { socketsPerUser: 2 } });
    clock.tick('a');
    const authorization = await issuer.bearer();
    const socket = await openSocket(gateway.url, { authorization });
    const stream = await open(name, shared, { headers: { authorization } });
    await stream.next();
    const refused = await open(name, shared, { headers: { authorization } });
    expect([refused.status, refused.headers['retry-after'], await refused.json()]).toEqual([
      429,
      '5',
      { errors: coded('RATE_LIMITED') },
    ]);
    // Those who are nobody have as many of each address.
    for (const status of [200, 200, 429]) expect((await open(name)).status).toBe(status);
    socket.close();
    await until(async () => {
      const next = await openStream(gateway.url, name, shared, { headers: { authorization } });
      next.leave();
      return next.status === 200;
    });
  });

  test('is counted and logged as a request when it begins, and logged when it ends', async () => {
    const { log, lines } = recordingLog('debug');
    await start({ log });
    clock.tick('a');
    const requests = metrics.httpRequests.labels('gateway', 'POST', '/graphql', '200');
    const before = requests.value;
    const headers = { 'x-request-id': 'r-1' };
    const stream = await open(name, `subscription Watch { ticks(name: "a") { value } }`, { headers });
    await stream.next();
    expect(requests.value).toBe(before + 1);
    expect(lines.find(({ msg }) => msg === 'request')).toMatchObject({
      ...{ method: 'POST', route: '/graphql', status: 200, requestId: 'r-1' },
      ...{ kind: 'subscription', operation: 'Watch', errors: 0, ms: expect.any(Number) },
    });
    clock.end('a');
    expect(await stream.next()).toEqual({ type: 'complete' });
    const line = () => lines.find(({ msg }) => msg === 'stream ended');
    await until(() => line() !== undefined);
    expect(line()).toMatchObject({ requestId: 'r-1', format: name, events: 1, reason: 'complete' });
    expect(requests.value).toBe(before + 1);
    expect(lines.filter(({ msg }) => msg === 'request')).toHaveLength(1);
  });
});
