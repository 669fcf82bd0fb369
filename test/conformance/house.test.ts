import { afterAll, beforeAll, expect, test } from 'vitest';
import { catalogue } from './catalogue.js';
import { type Outcome, run } from './run.js';
import { type House, houses, startHouse } from './testing/house.js';

let house: Awaited<ReturnType<typeof startHouse>>;
const outcomes = new Map<House, Outcome[]>();

beforeAll(async () => {
  house = await startHouse();
  // All at once: each waits for seconds until those who do not initialise are given up.
  await Promise.all(
    houses.map(async (name) => outcomes.set(name, await run(house.targets[name], catalogue, { atOnce: 8 }))),
  );
}, 180_000);
afterAll(() => house?.stop());

const told = (name: House, verdict: Outcome['verdict']): string[] =>
  (outcomes.get(name) ?? []).flatMap(({ audit, why, ...outcome }) =>
    outcome.verdict === verdict ? [`${audit.id}: ${why}`] : [],
  );

test.each(houses)('%s passes every audit of GraphQL over WebSocket', (name) => {
  expect(outcomes.get(name)).toHaveLength(catalogue.length);
  expect(told(name, 'not ok')).toEqual([]);
});

const noSlowQuery = 'complete/of-slow-query: no slow query is given';

test('the gateway and the subgraphs that have histories are asked everything else', () => {
  expect(told('gateway', 'skipped')).toEqual([noSlowQuery]);
  expect(told('order', 'skipped')).toEqual([noSlowQuery]);
  expect(told('delivery', 'skipped')).toEqual([noSlowQuery]);
});

test('of payment, whose subscription has one event, and of user, which has none, the rest is asked', () => {
  const reasons = (name: House) =>
    new Set(told(name, 'skipped').map((line) => line.slice(line.indexOf(': ') + 2)));
  expect(reasons('payment')).toEqual(
    new Set(['no slow query is given', 'the subscription that is given says nothing by itself']),
  );
  expect(reasons('user')).toEqual(
    new Set([
      'no slow query is given',
      'no subscription is given that stays open',
      'no subscription is given that completes by itself',
    ]),
  );
});
