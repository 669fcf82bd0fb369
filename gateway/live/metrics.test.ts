import { expect, onTestFinished, test } from 'vitest';
import { metrics } from '../../platform/metrics.js';
import { openSocket, type SocketClient } from '../testing/client.js';
import { clockhouseForEach } from '../testing/clockwork.js';
import { until } from '../testing/gateway.js';

const at = clockhouseForEach();

async function subscribe(authorization: string, after?: string): Promise<SocketClient> {
  const socket = await openSocket(at.gateway.url, { authorization });
  onTestFinished(() => socket.close());
  const query = 'subscription ($after: ID) { ticks(name: "a", after: $after) { value } }';
  socket.subscribe('1', query, after === undefined ? {} : { after });
  return socket;
}

/** Fails unless the next events have these values. */
async function has(socket: SocketClient, ...values: number[]): Promise<void> {
  for (const value of values) expect((await socket.next()).payload).toEqual({ data: { ticks: { value } } });
}

async function counted() {
  const [deliveries, lag, resumes] = await Promise.all([
    metrics.deliveries.get(),
    metrics.deliveryLag.get(),
    metrics.resumes.get(),
  ]);
  const lagOf = (part: string) => lag.values.find(({ metricName }) => metricName?.endsWith(part))?.value ?? 0;
  return {
    deliveries: deliveries.values[0]?.value ?? 0,
    lags: lagOf('_count'),
    lagSeconds: lagOf('_sum'),
    resumes: resumes.values[0]?.value ?? 0,
  };
}

test('what is delivered is counted for each client, and how late for each time that it is told', async () => {
  const user = '0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a1';
  const [one, other, third] = await Promise.all([1, 2, 3].map((n) => at.issuer.bearer(`${user}${n}`)));
  if (!one || !other || !third) throw new Error('there are three');
  const before = await counted();
  const since = async () => {
    const now = await counted();
    return {
      deliveries: now.deliveries - before.deliveries,
      lags: now.lags - before.lags,
      resumes: now.resumes - before.resumes,
    };
  };
  at.clock.tick('a');
  const first = await subscribe(one);
  await has(first, 1);
  // The present state is no news.
  expect(await since()).toEqual({ deliveries: 1, lags: 0, resumes: 0 });

  at.clock.committedAt = Date.now() - 5_000;
  at.clock.tick('a');
  await has(first, 2);
  expect(await since()).toEqual({ deliveries: 2, lags: 1, resumes: 0 });

  const second = await subscribe(other, 'a/1');
  await has(second, 2);
  await until(() => at.upstreams() === 1);
  at.clock.tick('a');
  for (const socket of [first, second]) await has(socket, 3);
  expect(await since()).toEqual({ deliveries: 5, lags: 3, resumes: 1 });

  const look = at.clock.hold(third);
  const late = await subscribe(third, 'a/1');
  await until(() => at.upstreams() === 2);
  at.clock.tick('a');
  for (const socket of [first, second]) await has(socket, 4);
  look();
  await has(late, 2, 3, 4);
  // Two by its own subscription; the third, which all had had, is no later for one who was not there.
  expect(await since()).toEqual({ deliveries: 10, lags: 6, resumes: 2 });
  const { lagSeconds, lags } = await counted();
  const mean = (lagSeconds - before.lagSeconds) / (lags - before.lags);
  expect(mean).toBeGreaterThanOrEqual(5);
  expect(mean).toBeLessThan(15);
});
