import { describe, expect, test } from 'vitest';
import { transports } from './domain.js';
import { between, distance, doorOf, type Geography, type Place, secondsToDoor } from './geography.js';

const berlin: Geography = { depot: { latitude: 52.52, longitude: 13.405 }, radius: 5_000 };

test.each<[string, Place, Place, number]>([
  ['a degree along a meridian', { latitude: 52, longitude: 13 }, { latitude: 53, longitude: 13 }, 111_195],
  ['Berlin to Paris', berlin.depot, { latitude: 48.8566, longitude: 2.3522 }, 877_500],
  ['half around', { latitude: 0, longitude: 0 }, { latitude: 0, longitude: 180 }, 20_015_087],
  ['over the date line', { latitude: 0, longitude: 179.9 }, { latitude: 0, longitude: -179.9 }, 22_239],
  ['nowhere', berlin.depot, berlin.depot, 0],
])('the distance of %s', (_, a, b, metres) => {
  expect(distance(a, b) / (metres || 1)).toBeCloseTo(metres === 0 ? 0 : 1, 3);
  expect(distance(b, a)).toBeCloseTo(distance(a, b), 6);
});

describe('the door of an address', () => {
  const doors = (geography: Geography) =>
    Array.from({ length: 2_000 }, (_, n) => doorOf(`Long Lane ${n}`, geography));

  test('is the same however the address is spaced and written', () => {
    const door = doorOf('Long Lane 1, 10115 Berlin', berlin);
    expect(doorOf('  long lane 1,\n10115  BERLIN ', berlin)).toEqual(door);
    expect(doorOf('Long Lane 2, 10115 Berlin', berlin)).not.toEqual(door);
  });

  test.each([
    ['in Berlin', berlin],
    ['beside the date line', { depot: { latitude: -17, longitude: 179.99 }, radius: 20_000 }],
    ['far north', { depot: { latitude: 85, longitude: 0 }, radius: 100_000 }],
  ])('is within reach, and doors are all over the place: %s', (_, geography) => {
    const all = doors(geography);
    for (const { latitude, longitude } of all) {
      expect(Math.abs(latitude)).toBeLessThanOrEqual(90);
      expect(Math.abs(longitude)).toBeLessThanOrEqual(180);
    }
    const distances = all.map((door) => distance(geography.depot, door));
    expect(Math.max(...distances)).toBeLessThanOrEqual(geography.radius * 1.000_001);
    // Evenly over the disc: a quarter of it is within half its radius.
    const near = distances.filter((metres) => metres < geography.radius / 2).length;
    expect(near / all.length).toBeGreaterThan(0.2);
    expect(near / all.length).toBeLessThan(0.3);
    const north = all.filter(({ latitude }) => latitude > geography.depot.latitude).length;
    expect(north / all.length).toBeCloseTo(0.5, 1);
  });
});

test('a place on the way is on the way, also over the date line', () => {
  const door = doorOf('Long Lane 1', berlin);
  expect(distance(between(berlin.depot, door, 0), berlin.depot)).toBeLessThan(0.01);
  expect(distance(between(berlin.depot, door, 1), door)).toBeLessThan(0.01);
  const half = between(berlin.depot, door, 0.5);
  expect(distance(berlin.depot, half) / distance(half, door)).toBeCloseTo(1, 2);
  const [east, west] = [
    { latitude: 0, longitude: 179 },
    { latitude: 0, longitude: -179 },
  ];
  expect(Math.abs(between(east, west, 0.5).longitude)).toBeCloseTo(180);
});

describe('the time to the door', () => {
  const address = 'Long Lane 1';
  const door = doorOf(address, berlin);
  const seconds = (status: Parameters<typeof secondsToDoor>[0]['status'], at: Place | null = null) =>
    secondsToDoor({ status, address, transport: 'BICYCLE', at }, berlin) ?? Number.NaN;

  test('is shorter the quicker the courier is', () => {
    const [foot = 0, ...others] = transports.map(
      (transport) => secondsToDoor({ status: 'IN_TRANSIT', address, transport, at: null }, berlin) ?? 0,
    );
    expect(others.toSorted((a, b) => b - a)).toEqual(others);
    expect(foot).toBeGreaterThan(others[0] ?? 0);
    // 5 km at most, with detours, at a walk.
    expect(foot).toBeLessThan(5_000);
  });

  test('holds the way to the depot and the pick-up of who has not set out', () => {
    const near = seconds('PENDING', berlin.depot);
    expect(near).toBeGreaterThan(seconds('IN_TRANSIT', berlin.depot));
    expect(seconds('PENDING', doorOf('far away', berlin))).toBeGreaterThan(near);
    expect(seconds('PENDING')).toBe(near);
  });

  test('is shorter the nearer the courier is, and none at the door', () => {
    const at = (part: number) => seconds('IN_TRANSIT', between(berlin.depot, door, part));
    expect(at(0.5)).toBeLessThan(at(0));
    expect(at(0.5)).toBeGreaterThan(at(0.9));
    expect(seconds('OUT_FOR_DELIVERY', door)).toBe(0);
  });

  test('is unknown at the end, and where nobody says where the courier is that is close', () => {
    expect(seconds('OUT_FOR_DELIVERY')).toBeNaN();
    for (const status of ['DELIVERED', 'CANCELLED', 'FAILED'] as const)
      expect(seconds(status, door)).toBeNaN();
  });
});
