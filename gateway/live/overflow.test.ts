import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { metrics } from '../../platform/metrics.js';
import type { Gateway } from '../index.js';
import { openSocket, type SocketClient } from '../testing/client.js';
import { startClockwork } from '../testing/clockwork.js';
import { type Issuer, startTestGateway, until } from '../testing/gateway.js';
import type { TestSubgraph } from '../testing/subgraph.js';
import { type Clock, startLabels, ticksSupergraph } from '../testing/ticks.js';

let clock: Clock;
let counts: { fetched: number };
let ticks: TestSubgraph;
let labels: TestSubgraph;
let issuer: Issuer;
let gateway: Gateway;

beforeEach(async () => {
  ({ clock, counts, ticks, labels, issuer } = await startClockwork());
});
afterEach(async () => {
  await gateway.stop();
  await Promise.all([ticks.stop(), labels.stop(), issuer.stop()]);
});

const upstreams = () => metrics.upstreamOperations.labels('ticks').value;

/** Somebody watches, and what completes the events is away. */
async function watch(field: string, options: { eventPatienceMs?: number } = {}): Promise<SocketClient> {
  const supergraph = ticksSupergraph({ ticks: ticks.url, labels: labels.url });
  gateway = await startTestGateway({ supergraph, ...options });
  const socket = await openSocket(gateway.url);
  onTestFinished(() => socket.close());
  socket.subscribe('1', `subscription { ${field}(name: "a") { value label } }`);
  await until(() => clock.listeners() === 1);
  await labels.stop();
  return socket;
}

const told = (field: string, value: number) => ({
  id: '1',
  type: 'next',
  payload: { data: { [field]: { value, label: `the tick a:${value}` } } },
});

test('more events than may wait come all, in order', { timeout: 60_000 }, async () => {
  const socket = await watch('ticks');
  for (let n = 0; n < 2_500; n++) clock.tick('a');
  // The subscription is left until there is room.
  await until(() => upstreams() === 0 && clock.listeners() === 0);
  labels = await startLabels(counts, labels.port);
  for (let value = 1; value <= 2_500; value++) expect(await socket.next()).toEqual(told('ticks', value));
  clock.tick('a');
  expect(await socket.next()).toEqual(told('ticks', 2_501));
});

test('more than may wait of what cannot be resumed end it with a reason', { timeout: 60_000 }, async () => {
  const socket = await watch('plain');
  for (let n = 0; n < 2_500; n++) clock.tick('a');
  await until(() => upstreams() === 0 && clock.listeners() === 0);
  labels = await startLabels(counts, labels.port);
  for (let value = 1; value <= 1_000; value++) expect(await socket.next()).toEqual(told('plain', value));
  expect(await socket.next()).toMatchObject({
    type: 'error',
    payload: [
      {
        message: 'Events come faster than they can be completed; subscribe again.',
        extensions: { code: 'SERVICE_UNAVAILABLE' },
      },
    ],
  });
});

test('those behind an event that has waited in vain do not wait as long again', async () => {
  const socket = await watch('ticks', { eventPatienceMs: 1_000 });
  const began = performance.now();
  for (let n = 0; n < 6; n++) clock.tick('a');
  for (let value = 1; value <= 6; value++)
    expect((await socket.next()).payload).toMatchObject({
      data: { ticks: { value, label: null } },
      errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }],
    });
  expect(performance.now() - began).toBeLessThan(4_000);
  labels = await startLabels(counts, labels.port);
});
