import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Gateway } from '../index.js';
import { openSocket, type SocketClient } from '../testing/client.js';
import { startTestGateway, until } from '../testing/gateway.js';
import { type HeldSubgraph, startHeld } from '../testing/held.js';
import type { TestSubgraph } from '../testing/subgraph.js';
import { Clock, ownLabel, startTicks, ticksSupergraph } from '../testing/ticks.js';

let clock: Clock;
let ticks: TestSubgraph;
let labels: HeldSubgraph;
let gateway: Gateway;
let socket: SocketClient;

beforeEach(async () => {
  clock = new Clock();
  [ticks, labels] = await Promise.all([startTicks(clock), startHeld()]);
  gateway = await startTestGateway({ supergraph: supergraph() });
  socket = await openSocket(gateway.url);
  onTestFinished(() => socket.close());
});
// The gateway stops once what it served before a swap is closed.
afterEach(async () => {
  await gateway.stop();
  await Promise.all([ticks.stop(), labels.stop()]);
});

const supergraph = (replace?: (sdl: string) => string, url = labels.url) =>
  ticksSupergraph({ ticks: ticks.url, labels: url }, replace);
/** Puts labels where the ticks are, so that nothing needs the subgraph any more that had them. */
async function moveLabels(): Promise<void> {
  const elsewhere = await startHeld();
  onTestFinished(() => elsewhere.stop());
  await gateway.swap(supergraph((sdl) => sdl + ownLabel, elsewhere.url));
}

const away = { errors: [{ message: 'Not now.', extensions: { code: 'SERVICE_UNAVAILABLE' } }] };
const label = (value: number) => ({ data: { _entities: [{ label: `the tick a:${value}` }] } });
/** Answers the fetch of this number, once it comes. */
async function answer(index: number, response: object): Promise<void> {
  await until(() => labels.fetches.length > index);
  labels.fetched(index).answer(response);
}

test.each(['ticks', 'plain'])(
  'events of %s that came before a field moved are completed from where it was',
  async (field) => {
    socket.subscribe('1', `subscription { ${field}(name: "a") { value label } }`);
    await until(() => clock.listeners() === 1);
    for (let n = 0; n < 3; n++) clock.tick('a');
    await answer(0, away);
    await moveLabels();
    for (const value of [1, 2, 3]) {
      await answer(value, label(value));
      const data = { [field]: { value, label: `the tick a:${value}` } };
      expect(await socket.next()).toEqual({ id: '1', type: 'next', payload: { data } });
    }
  },
);

test('what comes after a field moved is asked where it is', async () => {
  socket.subscribe('1', 'subscription { ticks(name: "a") { value label } }');
  await until(() => clock.listeners() === 1);
  await moveLabels();
  clock.tick('a');
  const data = { ticks: { value: 1, label: 'the tick a:1' } };
  expect((await socket.next()).payload).toEqual({ data });
  expect(labels.fetches).toEqual([]);
});

test('who leaves while events wait for where a field was keeps nothing open', async () => {
  socket.subscribe('1', 'subscription { ticks(name: "a") { value label } }');
  await until(() => clock.listeners() === 1);
  for (let n = 0; n < 3; n++) clock.tick('a');
  await until(() => labels.fetches.length === 1);
  await moveLabels();
  socket.close();
  await until(() => clock.listeners() === 0);
  await answer(0, label(1));
  await gateway.stop();
});
