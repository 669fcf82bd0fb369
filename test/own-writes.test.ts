import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Dispatch, dispatchOf } from './support/dispatch.js';
import { type System, startSystem } from './support/system.js';
import { rich } from './support/watched.js';

let system: System;
let dispatch: Dispatch;
beforeAll(async () => {
  system = await startSystem({ DELIVERY_SIMULATION: 'off', COURIER_ASSIGNMENT: 'manual' });
  dispatch = dispatchOf(system);
});
afterAll(() => system?.stop());

/** One mutation of several fields, by their aliases. */
const mutate = (fields: Record<string, string>, token: string) =>
  system.ask(
    `mutation { ${Object.entries(fields)
      .map(([alias, field]) => `${alias}: ${field}`)
      .join('\n')} }`,
    {},
    token,
  );

test('each field of a mutation answers with what it has done, where others did the like before it', async () => {
  const { id } = await dispatch.hire('Rosa');
  const rename = (name: string) => `updateCourier(input: { id: "${id}", name: "${name}" }) { name }`;
  expect(await mutate({ a: rename('Ada'), b: rename('Bea') }, system.staffToken)).toEqual({
    a: { name: 'Ada' },
    b: { name: 'Bea' },
  });

  const { token } = await rich(system);
  const topUp = (key: string) =>
    `topUp(input: { amount: "1.00", idempotencyKey: "${key}" }) { balance { amount } entries(first: 1) { totalCount } }`;
  const { a, b } = (await mutate({ a: topUp('a'), b: topUp('b') }, token)) as Record<
    string,
    { balance: { amount: string }; entries: { totalCount: number } }
  >;
  expect(Number(b?.balance.amount) - Number(a?.balance.amount)).toBe(1);
  expect((b?.entries.totalCount ?? 0) - (a?.entries.totalCount ?? 0)).toBe(1);
});

test('a product that a mutation has changed is as it is in what comes after', async () => {
  const orderId = await system.order(await rich(system));
  const [product] = system.products;
  const put = (name: string) =>
    `upsertProduct(input: { id: "${product?.id}", name: "${name}", price: "${product?.price.amount}" }) { name }`;
  const cancel = `cancelOrder(id: "${orderId}") { items { product { name } } }`;
  const named = (name: string) => ({ items: [{ product: { name } }] });
  expect(
    await mutate({ a: put('Tea'), b: cancel, c: put('Cocoa'), d: cancel }, system.staffToken),
  ).toMatchObject({ b: named('Tea'), d: named('Cocoa') });
});
