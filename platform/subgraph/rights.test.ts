import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { createRights, newsOf, type RightsChange, rightsPayload } from '../auth/rights.js';
import type { Bus } from '../bus/bus.js';
import type { Event } from '../bus/event.js';
import { type Channel, createChannel } from '../live/channel.js';
import type { Database } from '../postgres/database.js';
import { silent } from '../testing/log.js';
import { openSocket } from '../testing/socket.js';
import { serveSchema } from '../testing/subgraph.js';
import { until } from '../testing/until.js';
import { keepRights } from './rights.js';

const rosa = '0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11';
const sdl = 'type Query { me: String } type Subscription { events: Int! }';
let service: Awaited<ReturnType<typeof serveSchema>>;
let channel: Channel<number>;
let closed: number;

beforeEach(async () => {
  closed = 0;
  const overflow = () => new Error('too slow');
  const onClose = () => {
    closed += 1;
  };
  channel = createChannel<number>({ onClose, limit: 100, overflow });
  service = await serveSchema(sdl, {
    Subscription: { events: { subscribe: () => channel, resolve: (n) => n } },
  });
});
afterEach(() => service.close());

async function open(init: Record<string, unknown> = {}) {
  const socket = await openSocket(service.url, init);
  onTestFinished(() => socket.close());
  return socket;
}
const bearer = async () => {
  const { accessToken } = await service.tokens.signer.sign({ id: rosa, role: 'DISPATCHER' });
  return `Bearer ${accessToken}`;
};

test('a subscription ends with what its user may do, and its source with it; the socket, which is of many, stays', async () => {
  const gateway = await open();
  await gateway.next();
  gateway.subscribe('1', { query: 'subscription { events }', extensions: { authorization: await bearer() } });
  channel.push(1);
  expect(await gateway.next()).toMatchObject({ type: 'next', payload: { data: { events: 1 } } });
  service.rights.note([{ userId: rosa, rights: 2 }]);
  const told = [await gateway.next(), await gateway.next()];
  expect(told.find(({ type }) => type === 'ping')).toEqual({
    type: 'ping',
    payload: rightsPayload([newsOf({ userId: rosa, rights: 2 })]),
  });
  expect(told.find(({ type }) => type === 'error')).toMatchObject({
    ...{ id: '1', payload: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
  });
  expect(closed).toBe(1);
});

test('a socket of nobody is told all when it opens; that of a user is told nothing, and closed', async () => {
  const user = await open({ authorization: await bearer() });
  await user.next();
  service.rights.note([{ userId: rosa, rights: 2 }]);
  expect(await user.closed).toEqual({ code: 4403, reason: 'Forbidden: what you may do has changed' });
  const gateway = await open();
  const told = [await gateway.next(), await gateway.next()];
  expect(told).toContainEqual({
    type: 'ping',
    payload: rightsPayload([newsOf({ userId: rosa, rights: 2 })]),
  });
});

test('what changed is known from the start, from events, and from the database after a gap', async () => {
  const stored: (RightsChange & { at: Date })[] = [{ userId: rosa, rights: 2, at: new Date() }];
  const asked: Date[] = [];
  let [hear, gap] = [(_event: Event<RightsChange>) => {}, () => {}];
  const bus: Pick<Bus, 'listen'> = {
    listen(_contract, onEvent, onGap = () => {}) {
      [hear, gap] = [onEvent as unknown as typeof hear, onGap];
    },
  };
  const rights = createRights();
  const isOver = (userId: string) =>
    rights.isOver({ userId, role: 'CUSTOMER', expiresAt: Date.now() + 60_000 });
  const source = {
    contracts: [{ topic: 'changed', schema: {} as never }],
    async read(_database: Database, since: Date) {
      asked.push(since);
      return stored.filter(({ at }) => at > since);
    },
  };
  const keeping = await keepRights({ source, rights, database: {} as Database, bus, log: silent });
  onTestFinished(() => keeping.stop());
  expect(isOver(rosa)).toBe(true);
  hear({ data: { userId: 'ben', rights: 2 } } as Event<RightsChange>);
  expect(isOver('ben')).toBe(true);
  // One that began before others may be seen after them.
  stored.push({ userId: 'cleo', rights: 2, at: new Date(Date.now() - 30_000) });
  gap();
  await until('it was looked for', () => isOver('cleo'));
  expect(asked.at(-1)?.getTime()).toBeGreaterThan(Date.now() - 70_000);
});
