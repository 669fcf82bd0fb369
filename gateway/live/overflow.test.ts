import { expect, onTestFinished, test } from 'vitest';
import { openSocket, type SocketClient } from '../testing/client.js';
import { clockhouseForEach } from '../testing/clockwork.js';
import { until } from '../testing/gateway.js';
import { startLabels } from '../testing/ticks.js';

const at = clockhouseForEach();

/** Somebody watches, and what completes the events is away. */
async function watch(field: string, options: { eventPatienceMs?: number } = {}): Promise<SocketClient> {
  await at.restart(options);
  const socket = await openSocket(at.gateway.url);
  onTestFinished(() => socket.close());
  socket.subscribe('1', `subscription { ${field}(name: "a") { value label } }`);
  await until(() => at.clock.listeners() === 1);
  await at.labels.stop();
  return socket;
}

const told = (field: string, value: number) => ({
  id: '1',
  type: 'next',
  payload: { data: { [field]: { value, label: `the tick a:${value}` } } },
});

test('more events than may wait come all, in order', { timeout: 60_000 }, async () => {
  const socket = await watch('ticks');
  for (let n = 0; n < 2_500; n++) at.clock.tick('a');
  // The subscription is left until there is room.
  await until(() => at.upstreams() === 0 && at.clock.listeners() === 0);
  at.labels = await startLabels(at.counts, at.labels.port);
  for (let value = 1; value <= 2_500; value++) expect(await socket.next()).toEqual(told('ticks', value));
  at.clock.tick('a');
  expect(await socket.next()).toEqual(told('ticks', 2_501));
});

test('more than may wait of what cannot be resumed end it with a reason', { timeout: 60_000 }, async () => {
  const socket = await watch('plain');
  for (let n = 0; n < 2_500; n++) at.clock.tick('a');
  await until(() => at.upstreams() === 0 && at.clock.listeners() === 0);
  at.labels = await startLabels(at.counts, at.labels.port);
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
  for (let n = 0; n < 6; n++) at.clock.tick('a');
  for (let value = 1; value <= 6; value++)
    expect((await socket.next()).payload).toMatchObject({
      data: { ticks: { value, label: null } },
      errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }],
    });
  expect(performance.now() - began).toBeLessThan(4_000);
  at.labels = await startLabels(at.counts, at.labels.port);
});
