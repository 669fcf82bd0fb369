import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../platform/testing/until.js';
import { type Dispatch, dispatchOf } from './support/dispatch.js';
import type { Live } from './support/live.js';
import { realBus } from './support/real-bus.js';
import { type Sessions, sessionsOf } from './support/sessions.js';
import { type System, startSystem } from './support/system.js';
import { placeWatched } from './support/watched.js';

let system: System;
let dispatch: Dispatch;
let sessions: Sessions;
const bus = realBus();

beforeAll(async () => {
  system = await startSystem({ ...bus.env(), DELIVERY_SIMULATION: 'off', COURIER_ASSIGNMENT: 'manual' });
  dispatch = dispatchOf(system);
  sessions = sessionsOf(system);
});
afterAll(() => system?.stop());

/** Somebody of staff, with a session of the role. */
async function dispatcher() {
  const customer = await system.register();
  await system.setRole(customer.userId, 'DISPATCHER');
  return { ...(await sessions.login(customer.email, customer.password)), customer };
}

const watch = 'subscription ($id: ID!) { deliveryStatusChanged(orderId: $id) { cursor status } }';

/** Waits for a close as long as for any message: one that never came would be told from a slow machine. */
const isClosed = (live: Live<unknown>, reason: string) =>
  expect(live.waitFor(() => false)).rejects.toThrow(`"close":{"code":4403,"reason":"${reason}`);

describe('a live subscription ends with the right to see it', () => {
  test('when a role is taken away, and goes on for others who share it', async () => {
    const one = await dispatcher();
    const { id, customer } = await placeWatched(system);
    const courier = await dispatch.hire('Rosa');
    const before = await system.watching();
    // Whoever comes first is the one on whose token it runs.
    for (const first of ['staff', 'owner']) {
      const staff = await sessions.login(one.customer.email, one.customer.password);
      const tokens = { staff: staff.accessToken, owner: customer.token };
      const names = first === 'staff' ? (['staff', 'owner'] as const) : (['owner', 'staff'] as const);
      const lives = [];
      for (const name of names) {
        const live = system.subscribe<{ deliveryStatusChanged: { status: string } }>(
          watch,
          { id },
          tokens[name],
        );
        await live.waitFor(({ length }) => length === 1);
        lives.push([name, live] as const);
      }
      await until('they share it', async () => (await system.watching()) === before + 1);
      const { staff: ends, owner } = Object.fromEntries(lives) as Record<
        'staff' | 'owner',
        (typeof lives)[0][1]
      >;
      await system.setRole(one.customer.userId, 'CUSTOMER');
      await isClosed(ends, 'Forbidden: what you may do has changed');
      await dispatch.assign(id, courier.id);
      await dispatch.moveAlong(id, ['IN_TRANSIT', 'PENDING'], courier.token);
      await owner.waitFor(({ length }) => length === 3);
      expect(owner.messages.map(({ data }) => data?.deliveryStatusChanged.status)).toEqual([
        'PENDING',
        'IN_TRANSIT',
        'PENDING',
      ]);
      expect(ends.messages).toHaveLength(1);
      owner.close();
      await isClosed(system.subscribe(watch, { id }, tokens.staff), 'Forbidden: What you may do has changed');
      await system.setRole(one.customer.userId, 'DISPATCHER');
      await until('nobody watches', async () => (await system.watching()) === before);
    }
  });

  test.each(['eventPublished', 'deliveriesChanged'])('over HTTP too: %s', async (field) => {
    const one = await dispatcher();
    const response = await system.http('/graphql', {
      method: 'POST',
      headers: {
        ...{ accept: 'text/event-stream', 'content-type': 'application/json' },
        authorization: `Bearer ${one.accessToken}`,
      },
      body: JSON.stringify({ query: `subscription { ${field} { cursor } }` }),
    });
    await system.setRole(one.customer.userId, 'CUSTOMER');
    const text = await response.text();
    expect(text).toContain('"code":"UNAUTHENTICATED"');
    expect(text).toContain('What you may do has changed');
    expect(text.trimEnd()).toMatch(/event: complete(\ndata:\s*)?$/);
  });
});
