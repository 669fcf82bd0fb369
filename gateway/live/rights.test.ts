import { expect, onTestFinished, test } from 'vitest';
import { newsOf, rightsPayload } from '../../platform/auth/rights.js';
import { openSocket, type SocketClient } from '../testing/client.js';
import { clockhouseForEach } from '../testing/clockwork.js';
import { post, until } from '../testing/gateway.js';

const house = clockhouseForEach();
const [rosa, ben] = ['0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11', '0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a12'];
const changed = (userId: string, rights: number) => rightsPayload([newsOf({ userId, rights })]);
const query = 'subscription { ticks(name: "a") { value } }';

async function watch(userId: string): Promise<SocketClient> {
  const socket = await openSocket(house.gateway.url, { authorization: await house.issuer.bearer(userId) });
  onTestFinished(() => socket.close());
  socket.subscribe('1', query);
  await socket.next();
  return socket;
}
const nextValue = async (socket: SocketClient) =>
  ((await socket.next()).payload as { data: { ticks: { value: number } } }).data.ticks.value;
const over = { code: 4403, reason: 'Forbidden: what you may do has changed' };

test.each([
  ['who leads it', rosa, ben],
  ['who joined it', ben, rosa],
])(
  'of a stream that two share, a ping ends the part of %s, and the other misses nothing',
  async (_name, ends, stays) => {
    house.clock.tick('a');
    const sockets = { [rosa]: await watch(rosa), [ben]: await watch(ben) };
    await until(() => house.upstreams() === 1);
    house.ticks.ping(changed(ends, 2));
    expect(await sockets[ends]?.closed).toEqual(over);
    for (const value of [2, 3]) {
      house.clock.tick('a');
      expect(await nextValue(sockets[stays] as SocketClient)).toBe(value);
    }
    // Its token is refused from now on.
    const authorization = await house.issuer.bearer(ends);
    const { status } = await post(house.gateway, '{ now }', { headers: { authorization } });
    expect(status).toBe(401);
  },
);

test('a ping of others, or with anything else, ends nothing', async () => {
  house.clock.tick('a');
  const socket = await watch(rosa);
  for (const payload of [
    undefined,
    5,
    { rights: 5 },
    { rights: [[newsOf({ userId: rosa, rights: 2 }).user, '2']] },
    changed(ben, 2),
  ])
    house.ticks.ping(payload);
  house.ticks.ping(changed(rosa, 1));
  house.clock.tick('a');
  expect(await nextValue(socket)).toBe(2);
});
