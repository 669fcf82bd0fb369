import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { demoCouriers } from '../events/demo.js';
import { type System, startSystem } from './support/system.js';

let system: System;
beforeAll(async () => {
  system = await startSystem({ DELIVERY_SIMULATION: 'off' });
});
afterAll(() => system.stop());

test('staff that mistypes a user makes no account, and no money', async () => {
  const userId = randomUUID();
  const { errors } = await system.graphql(
    'mutation ($input: TopUpInput!) { topUp(input: $input) { id } }',
    { input: { amount: '5.00', idempotencyKey: randomUUID(), userId } },
    system.staffToken,
  );
  expect(errors[0]?.extensions).toMatchObject({ code: 'NOT_FOUND', field: 'userId' });
  expect(await system.sql('payment', 'select from accounts where user_id = $1', [userId])).toEqual([]);
});

test("somebody else's account and orders read as if there were none", async () => {
  const [customer, other] = await Promise.all([system.register(), system.register()]);
  for (const field of ['account { balance { amount } }', 'orders { totalCount }']) {
    const { data, errors } = await system.graphql<{ user: Record<string, unknown> }>(
      `query ($id: ID!) { user(id: $id) { ${field} } }`,
      { id: other.userId },
      customer.token,
    );
    expect(Object.values(data?.user ?? {})).toEqual([null]);
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['NOT_FOUND']);
  }
});

test('a courier is seen by staff, and by others through a delivery of theirs alone', async () => {
  const [courier] = await system.sql<{ id: string }>(
    'delivery',
    'select id from couriers where user_id = $1',
    [demoCouriers[0]?.id],
  );
  const { token } = await system.register();
  const named = async (as: string) => {
    const response = await fetch(system.subgraphs.get('delivery')?.url ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${as}` },
      body: JSON.stringify({
        query: 'query ($of: [_Any!]!) { _entities(representations: $of) { ... on Courier { name } } }',
        variables: { of: [{ __typename: 'Courier', id: courier?.id }] },
      }),
    });
    return ((await response.json()) as { data: { _entities: unknown[] } }).data._entities;
  };
  expect(await named(system.staffToken)).toEqual([{ name: expect.any(String) }]);
  expect(await named(token)).toEqual([null]);
});
