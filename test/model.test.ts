import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeliveryStatus } from '../events/delivery.js';
import { ensureCouriers } from '../subgraphs/delivery/couriers.js';
import { carryAll, type Step, take } from './model/commands.js';
import { compare, conserved } from './model/compare.js';
import type { Model } from './model/model.js';
import { drain, rush } from './model/rush.js';
import { createWorld, type World } from './model/world.js';

const isLong = process.env['FUZZ'] === 'long';
const seed = Number(process.env['FUZZ_SEED'] ?? (isLong ? Date.now() : 1));
const runs = { inTurn: isLong ? 10_000 : 1_000, atOnce: isLong ? 500 : 50 };
const timeout = isLong ? 6 * 3_600_000 : 600_000;

const ends: (() => Promise<void>)[] = [];
let world: World;
beforeAll(async () => {
  world = await createWorld((close) => ends.push(close));
});
afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

/** Two users and two couriers that nobody has seen before. */
async function begin(): Promise<Model> {
  const couriers = ['Rosa', 'Emil'].map((name) => ({ id: randomUUID(), userId: randomUUID(), name }));
  await ensureCouriers(world.databases.delivery, couriers);
  return {
    users: [randomUUID(), randomUUID()].map((id) => ({ id, balanceCents: 0, toppedUpCents: 0 })),
    orders: [],
    couriers: couriers.map(({ id, userId }) => ({ id, userId, isOffDuty: false })),
  };
}

/** Every order comes to its end: what is not delivered by now never is. */
async function finish(model: Model): Promise<void> {
  await carryAll(world, model);
  await compare(world, model);
  for (const order of model.orders.keys())
    await take(world, model, { kind: 'move', order, status: 'FAILED', by: 'staff' });
  await carryAll(world, model);
  await compare(world, model);
  await conserved(world, model);
}

/** Nothing of a run is in the way of the next, however it ended. */
async function clear(model: Model): Promise<void> {
  world.forget();
  for (const { id } of model.orders) await world.dispatch.move(id, 'FAILED', null, 'staff');
  await world.collect();
  world.forget();
  await world.databases.delivery.query('update couriers set off_duty = true where id = any($1::uuid[])', [
    model.couriers.map(({ id }) => id),
  ]);
}

const number = fc.nat({ max: 5 });
const status = fc.oneof(
  ...(
    [
      ['PENDING', 2],
      ['IN_TRANSIT', 4],
      ['OUT_FOR_DELIVERY', 3],
      ['DELIVERED', 2],
      ['CANCELLED', 1],
      ['FAILED', 1],
    ] as const
  ).map(([value, weight]) => ({ weight, arbitrary: fc.constant<DeliveryStatus>(value) })),
);

/** A kind of step, how often it is taken, and what it needs to know. */
const stepOf = (weight: number, kind: Step['kind'], rest: Record<string, fc.Arbitrary<unknown>> = {}) => ({
  ...{ weight, arbitrary: fc.record({ kind: fc.constant(kind), ...rest }) as fc.Arbitrary<unknown> },
});
const step = fc.oneof(
  stepOf(1, 'top up', { user: number, cents: fc.integer({ min: 1, max: 3_000 }), repeated: fc.boolean() }),
  stepOf(2, 'order', { user: number, quantity: fc.integer({ min: 1, max: 3 }) }),
  stepOf(8, 'carry', { lane: number, count: fc.integer({ min: 1, max: 3 }), again: fc.constant(0) }),
  stepOf(2, 'carry', { lane: number, count: fc.nat({ max: 1 }), again: fc.integer({ min: 1, max: 3 }) }),
  stepOf(4, 'carry all'),
  stepOf(2, 'cancel', { order: number, dies: fc.boolean() }),
  stepOf(2, 'assign', { order: number, courier: fc.option(number) }),
  stepOf(4, 'assign all'),
  stepOf(1, 'unassign', { order: number }),
  stepOf(10, 'move', { order: number, status, by: fc.oneof(number, fc.constant('staff')) }),
  stepOf(1, 'duty', { courier: number, isOff: fc.boolean() }),
  stepOf(1, 'report', { courier: number, north: fc.integer({ min: -50, max: 50 }) }),
  stepOf(1, 'overdue', { order: number }),
) as fc.Arbitrary<Step>;

/** All users but the last have some money, and there is an order of each. */
const start: Step[] = [
  { kind: 'top up', user: 0, cents: 2_000, repeated: false },
  { kind: 'order', user: 0, quantity: 2 },
  { kind: 'order', user: 1, quantity: 1 },
];

/** Runs a property of fresh users, orders and couriers. */
const check = (
  steps: fc.Arbitrary<Step[]>,
  numRuns: number,
  run: (model: Model, steps: Step[]) => Promise<void>,
) =>
  fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const model = await begin();
      try {
        await run(model, all);
      } finally {
        await clear(model);
      }
    }),
    { seed, numRuns },
  );

test('whatever is done, and in whatever order events come, all is as a simple model says', { timeout }, () =>
  check(fc.array(step, { minLength: 4, maxLength: 20, size: 'max' }), runs.inTurn, async (model, steps) => {
    for (const one of [...start, ...steps]) await take(world, model, one);
    await finish(model);
  }),
);

test('whatever is done at once, money and couriers are conserved', { timeout }, () =>
  check(fc.array(step, { minLength: 30, maxLength: 60, size: 'max' }), runs.atOnce, async (model, steps) => {
    const first = steps.filter(({ kind }) => kind === 'top up' || kind === 'order');
    for (const one of first) await take(world, model, one);
    const rest = steps.filter((one) => !first.includes(one));
    for (let from = 0; from < rest.length; from += 15) {
      await Promise.all(rest.slice(from, from + 15).map((one) => rush(world, model, one)));
      await world.collect();
    }
    await Promise.all(
      model.orders.map((_, order) =>
        rush(world, model, { kind: 'move', order, status: 'FAILED', by: 'staff' }),
      ),
    );
    await drain(world);
    await conserved(world, model);
  }),
);

/** What a model is worth that is never asked. */
test('all that can come of what was done has come of it', () => {
  if (isLong) console.log(Object.fromEntries([...world.counts].toSorted()));
  const seldom = [
    ...['cancel: ok', 'cancel: INVALID_TRANSITION'],
    ...['assign: ok', 'assign: NOT_FOUND', 'assign: CONFLICT', 'assign: INVALID_TRANSITION'],
    ...['assign all: 0', 'assign all: 1', 'assign all: 2'],
    ...['unassign: ok', 'unassign: NOT_FOUND', 'unassign: INVALID_TRANSITION'],
    ...['move: ok', 'move: NOT_FOUND', 'move: CONFLICT', 'move: INVALID_TRANSITION', 'move: FORBIDDEN'],
    ...['overdue: PENDING', 'overdue: FAILED'],
    ...['payment: charged', 'payment: refused', 'payment: refunded'],
  ].filter((what) => (world.counts.get(what) ?? 0) < 5);
  expect(seldom).toEqual([]);
});

test('no entry of all that is without its other side', async () => {
  expect((await world.databases.payment.query('select * from ledger_faults')).rows).toEqual([]);
});
