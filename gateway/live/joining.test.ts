import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { metrics } from '../../platform/metrics.js';
import { openSocket, type SocketClient } from '../testing/client.js';
import { clockhouseForEach } from '../testing/clockwork.js';
import { memoryInUse } from '../testing/garbage.js';
import { until } from '../testing/gateway.js';

const at = clockhouseForEach();
let one: string;
let other: string;
let third: string;
beforeEach(async () => {
  const user = '0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a1';
  [one, other, third] = await Promise.all([
    at.issuer.bearer(`${user}1`),
    at.issuer.bearer(`${user}2`),
    at.issuer.bearer(`${user}3`),
  ]);
  at.clock.tick('a');
});

const subscriptions = async () =>
  (await metrics.subscriptions.get()).values.find(({ labels: { service } }) => service === 'gateway')?.value;

/** How many have begun with a cursor. */
const resumes = async () => (await metrics.resumes.get()).values[0]?.value ?? 0;

/** Waits until so many subscriptions run, over so many of the subgraph. */
const running = (count: number, opened = 1) =>
  until(async () => (await subscriptions()) === count && at.upstreams() === opened);

const query = 'subscription ($after: ID) { ticks(name: "a", after: $after) { cursor value } }';

async function subscribe(authorization: string, after?: string, text = query): Promise<SocketClient> {
  const socket = await openSocket(at.gateway.url, { authorization });
  onTestFinished(() => socket.close());
  socket.subscribe('1', text, after === undefined ? {} : { after });
  return socket;
}

/** The value of the next event, or the whole message where it is none. */
async function value(socket: SocketClient): Promise<unknown> {
  const message = await socket.next();
  return (message.payload as { data?: { ticks?: { value: number } } }).data?.ticks?.value ?? message;
}

const forbidden = { id: '1', type: 'error', payload: [{ extensions: { code: 'FORBIDDEN' } }] };

describe('one who may not see a stream sees nothing of it', () => {
  test('with the cursor that the stream is at', async () => {
    const watching = await subscribe(one);
    expect(await value(watching)).toBe(1);
    at.clock.barred.add(other);
    const before = await resumes();
    const barred = await subscribe(other, 'a/1');
    await until(async () => (await resumes()) === before + 1);
    at.clock.tick('a');
    expect(await value(watching)).toBe(2);
    expect(await barred.next()).toMatchObject(forbidden);
  });

  test('with a cursor that the stream comes to', async () => {
    const watching = await subscribe(one);
    expect(await value(watching)).toBe(1);
    at.clock.barred.add(other);
    const look = at.clock.hold(other);
    const barred = await subscribe(other, 'a/2');
    await running(2, 2);
    for (const next of [2, 3]) {
      at.clock.tick('a');
      expect(await value(watching)).toBe(next);
    }
    look();
    expect(await barred.next()).toMatchObject(forbidden);
  });

  test('with the cursor of another who becomes a stream', async () => {
    at.clock.tick('a');
    const watching = await subscribe(one);
    expect(await value(watching)).toBe(2);
    at.clock.barred.add(other);
    const [look, lookAtThird] = [at.clock.hold(other), at.clock.hold(third)];
    const late = await subscribe(third, 'a/1');
    await running(2, 2);
    const barred = await subscribe(other, 'a/1');
    await running(3, 3);
    watching.close();
    await until(async () => (await subscriptions()) === 2);
    lookAtThird();
    expect(await value(late)).toBe(2);
    look();
    expect(await barred.next()).toMatchObject(forbidden);
  });

  test('after one of the same person that nothing has been told yet', async () => {
    at.clock.barred.add(other);
    const look = at.clock.hold(other);
    const first = await subscribe(other, 'a/1');
    await running(1);
    const watching = await subscribe(one, 'a/1');
    await running(2);
    const second = await subscribe(other, 'a/1');
    await until(async () => (await subscriptions()) === 3);
    look();
    expect(await first.next()).toMatchObject(forbidden);
    at.clock.tick('a');
    expect(await value(watching)).toBe(2);
    expect(await second.next()).toMatchObject(forbidden);
  });
});

test('a courier’s stream runs on its own token alone: what it may see ends while others go on', async () => {
  const courier = await at.issuer.bearerOf('COURIER');
  const watching = await subscribe(one);
  expect(await value(watching)).toBe(1);
  const own = await subscribe(courier);
  expect(await value(own)).toBe(1);
  await running(2, 2);
  at.clock.tick('a');
  expect([await value(watching), await value(own)]).toEqual([2, 2]);
  // Two sockets of one courier share, as anybody's do.
  const second = await subscribe(courier);
  expect(await value(second)).toBe(2);
  await running(3, 2);
});

test('one who leaves is not needed any more: the stream goes on in the name of another', async () => {
  const watching = await subscribe(one);
  expect(await value(watching)).toBe(1);
  const next = await subscribe(other);
  expect(await value(next)).toBe(1);
  await running(2);
  watching.close();
  await running(1);
  const tokens: unknown[] = [];
  at.clock.onWatch = (token) => tokens.push(token);
  at.ticks.cutSockets();
  at.clock.tick('a');
  expect(await value(next)).toBe(2);
  expect(tokens).toEqual([other]);
});

test('the last 1,000 events are kept for one who catches up, and no longer', {
  timeout: 60_000,
}, async () => {
  const large = Array.from({ length: 400 }, (_, n) => `alias${n}: cursor`).join(' ');
  const text = `subscription ($after: ID) { ticks(name: "a", after: $after) { value label ${large} } }`;
  const watching = await subscribe(one, undefined, text);
  expect(await value(watching)).toBe(1);
  at.clock.tick('a');
  expect(await value(watching)).toBe(2);
  const look = at.clock.hold(other);
  const late = await subscribe(other, 'a/1', text);
  await running(2, 2);
  const before = await memoryInUse();
  at.counts.fetched = 0;
  for (let n = 3; n <= 1_102; n++) {
    at.clock.tick('a');
    expect(await value(watching)).toBe(n);
  }
  look();
  for (let n = 2; n <= 1_102; n++) expect(await value(late)).toBe(n);
  await running(2);
  // 1,100 for all; for one alone those that are not kept any more, and the first that is.
  expect(at.counts.fetched).toBe(1_100 + 101 + 1);
  expect((await memoryInUse()).heap - before.heap).toBeLessThan(6_000_000);
});
