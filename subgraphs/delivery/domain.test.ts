import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type DeliveryStatus, deliveryStatuses } from '../../events/delivery.js';
import { projectPath } from '../../platform/root.js';
import { enumValues, reachable } from '../../test/support/machines.js';
import { canBegin, isFinal, nextStep, transitions } from './domain.js';

const sdl = readFileSync(projectPath('subgraphs', 'delivery', 'schema.graphql'), 'utf8');

describe('the statuses of a delivery', () => {
  test('are those of the SDL, of the events and of the transitions alike', () => {
    expect(Object.keys(transitions).sort()).toEqual(enumValues(sdl, 'DeliveryStatus').sort());
    expect([...deliveryStatuses].sort()).toEqual(enumValues(sdl, 'DeliveryStatus').sort());
  });
  test('are all reachable from PENDING, and none leads to itself', () => {
    expect(reachable(transitions, 'PENDING').sort()).toEqual([...deliveryStatuses].sort());
    for (const [status, next] of Object.entries(transitions)) expect(next).not.toContain(status);
  });
  test('end with DELIVERED, CANCELLED and FAILED, and no end can be missed', () => {
    expect(deliveryStatuses.filter(isFinal)).toEqual(['DELIVERED', 'CANCELLED', 'FAILED']);
    for (const status of deliveryStatuses) expect(reachable(transitions, status).some(isFinal)).toBe(true);
  });
  test('let nobody cancel what is close to the door', () => {
    expect(transitions.OUT_FOR_DELIVERY).not.toContain('CANCELLED');
  });
  test('lead a courier to the door, a step at a time, each a transition', () => {
    const way: DeliveryStatus[] = ['PENDING'];
    for (let next = nextStep('PENDING'); next; next = nextStep(next)) {
      expect(transitions[way.at(-1) as DeliveryStatus]).toContain(next);
      way.push(next);
    }
    expect(way).toEqual(['PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED']);
    expect(deliveryStatuses.filter(isFinal).map(nextStep)).toEqual([undefined, undefined, undefined]);
  });
});

describe('a delivery begins', () => {
  const known = { orderId: 'o', userId: 'u', address: 'Long Lane 1', paid: true, closed: false };
  test('once it is paid and the address is known', () => {
    expect(canBegin(known)).toBe(true);
  });
  test.each([{ paid: null }, { paid: false }, { address: null }, { closed: true }])('not with %o', (more) => {
    expect(canBegin({ ...known, ...more })).toBe(false);
  });
});
