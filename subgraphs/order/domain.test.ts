import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { deliveryStatuses } from '../../events/delivery.js';
import { type OrderStatus, orderStatuses } from '../../events/order.js';
import { isId } from '../../platform/ids.js';
import { projectPath } from '../../platform/root.js';
import { enumValues, reachable } from '../../test/support/machines.js';
import {
  checkCatalogue,
  evolve,
  type Fact,
  isFinal,
  type OrderState,
  readOrder,
  transitions,
} from './domain.js';

const sdl = readFileSync(projectPath('subgraphs', 'order', 'schema.graphql'), 'utf8');

describe('the statuses of an order', () => {
  test('are those of the SDL, of the events and of the transitions alike', () => {
    expect(Object.keys(transitions).sort()).toEqual(enumValues(sdl, 'OrderStatus').sort());
    expect([...orderStatuses].sort()).toEqual(enumValues(sdl, 'OrderStatus').sort());
    expect([...deliveryStatuses].sort()).toEqual(enumValues(sdl, 'DeliveryStatus').sort());
  });
  test('are all reachable from PENDING, and none leads to itself', () => {
    expect(reachable(transitions, 'PENDING').sort()).toEqual([...orderStatuses].sort());
    for (const [status, next] of Object.entries(transitions)) expect(next).not.toContain(status);
  });
  test('end with INSUFFICIENT_FUNDS, CANCELLED and COMPLETED', () => {
    expect(orderStatuses.filter(isFinal)).toEqual(['INSUFFICIENT_FUNDS', 'CANCELLED', 'COMPLETED']);
  });
});

const placed: OrderState = {
  ...{ status: 'PENDING', deliveryStatus: null, deliverySequence: 0, courierUserId: null },
};
const paid: Fact = { kind: 'payment', status: 'SUCCESS' };
const refused: Fact = { kind: 'payment', status: 'INSUFFICIENT_FUNDS' };
const calledOff: Fact = { kind: 'cancelled' };
const steps: Fact[] = (['PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED'] as const).map(
  (status, index) => ({
    kind: 'delivery',
    status,
    sequence: index + 1,
  }),
);

/** All the states that an order goes through as it learns facts. */
function history(facts: Fact[], from: OrderState = placed): OrderState[] {
  const states = [from];
  for (const fact of facts) states.push(...evolve(states.at(-1) as OrderState, fact));
  return states;
}

describe('an order that learns facts', () => {
  const places = Array.from({ length: steps.length + 1 }, (_, index) => index);
  test.each(places)('ends COMPLETED when the payment comes after %i steps of the delivery', (place) => {
    const states = history(steps.toSpliced(place, 0, paid));
    expect(states.at(-1)).toMatchObject({
      status: 'COMPLETED',
      deliveryStatus: 'DELIVERED',
      deliverySequence: 4,
    });
    const statuses = states.map(({ status }) => status);
    expect(statuses.filter((status, index) => status !== statuses[index - 1])).toEqual([
      'PENDING',
      'PAID',
      'COMPLETED',
    ]);
  });

  test.each(['CANCELLED', 'FAILED'] as const)(
    'is CANCELLED when its delivery is %s, paid or not yet',
    (status) => {
      const end: Fact = { kind: 'delivery', status, sequence: 3 };
      for (const before of [[], [paid], [paid, ...steps.slice(0, 2)]])
        expect(history([...before, end, paid, refused, ...steps]).at(-1)).toMatchObject({
          ...{ status: 'CANCELLED', deliveryStatus: status, deliverySequence: 3 },
        });
    },
  );

  test('is CANCELLED when it is called off before it has a delivery, and stays so', () => {
    for (const before of [[], [paid]])
      expect(history([...before, calledOff, calledOff, paid, refused, ...steps]).at(-1)).toMatchObject({
        ...{ status: 'CANCELLED', deliveryStatus: null, deliverySequence: 0 },
      });
  });

  test.each(
    [...orderStatuses].flatMap((status) =>
      [paid, refused, calledOff, ...steps].map((fact) => [status, fact] as const),
    ),
  )('follows its transitions from %s on %o', (status, fact) => {
    let last: OrderStatus = status;
    for (const state of evolve({ ...placed, status }, fact)) {
      if (state.status !== last) expect(transitions[last]).toContain(state.status);
      last = state.status;
    }
  });

  test('learns each only once', () => {
    const facts = [paid, ...steps];
    expect(history(facts.flatMap((fact) => [fact, fact, ...facts]))).toEqual(history(facts));
  });

  test('does not go back on old news of its delivery', () => {
    const state: OrderState = {
      ...placed,
      ...{ status: 'PAID', deliveryStatus: 'OUT_FOR_DELIVERY', deliverySequence: 3 },
    };
    expect(evolve(state, steps[1] as Fact)).toEqual([]);
    expect(evolve(state, steps[2] as Fact)).toEqual([]);
  });

  test('that was not paid is at its end, whatever it hears', () => {
    const [state] = evolve(placed, refused);
    expect(state).toEqual({ ...placed, status: 'INSUFFICIENT_FUNDS' });
    for (const fact of [paid, calledOff, ...steps]) expect(evolve(state as OrderState, fact)).toEqual([]);
  });
});

const productId = '0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11';
const item = (more: object = {}) => ({ productId, quantity: 1, price: '2.50' as unknown, ...more });
const read = (items: ReturnType<typeof item>[], deliveryAddress = 'Long Lane 1') =>
  readOrder({ items, deliveryAddress }, isId);

describe('an order that is read', () => {
  test('is its lines in cents, with their sum, and the address without the spaces around it', () => {
    const other = productId.toUpperCase();
    expect(read([item({ quantity: 3 }), item({ productId: other, price: '0.1' })], ' Long Lane 1 ')).toEqual({
      ok: true,
      value: {
        lines: [
          { productId, quantity: 3, priceCents: 250 },
          { productId, quantity: 1, priceCents: 10 },
        ],
        deliveryAddress: 'Long Lane 1',
        totalCents: 760,
      },
    });
  });
  test.each([1, 1000])('may have quantity %i', (quantity) => {
    expect(read([item({ quantity })]).ok).toBe(true);
  });
  test.each([
    [{ quantity: 0 }, 'items.0.quantity'],
    [{ quantity: 1001 }, 'items.0.quantity'],
    [{ quantity: -1 }, 'items.0.quantity'],
    [{ price: '2.505' }, 'items.0.price'],
    [{ price: 2.5 }, 'items.0.price'],
    [{ productId: 'espresso' }, 'items.0.productId'],
  ])('is refused with %o, by its field', (more, field) => {
    expect(read([item(more)])).toMatchObject({ ok: false, code: 'BAD_USER_INPUT', field });
  });
  test('has 1 to 100 lines', () => {
    expect(read([])).toMatchObject({ ok: false, field: 'items' });
    expect(read(Array.from({ length: 100 }, () => item())).ok).toBe(true);
    expect(read(Array.from({ length: 101 }, () => item()))).toMatchObject({ ok: false, field: 'items' });
  });
  test.each(['', '   ', 'a'.repeat(501), 'a\0b', '\ud800'])('is refused with the address %j', (address) => {
    expect(read([item()], address)).toMatchObject({ ok: false, field: 'deliveryAddress' });
  });
});

describe('an order held against the catalogue', () => {
  const order = {
    lines: [{ productId, quantity: 1, priceCents: 250 }],
    deliveryAddress: 'a',
    totalCents: 250,
  };
  const soup = { id: productId, name: 'Soup', priceCents: 250, available: true };
  test('stands where nothing has changed', () => {
    expect(checkCatalogue(order, [soup])).toBeUndefined();
  });
  test.each([
    ['NOT_FOUND', []],
    ['CONFLICT', [{ ...soup, available: false }]],
    ['PRICE_CHANGED', [{ ...soup, priceCents: 251 }]],
  ] as const)('is refused with %s', (code, catalogue) => {
    expect(checkCatalogue(order, catalogue)).toMatchObject({ ok: false, code });
  });
});
