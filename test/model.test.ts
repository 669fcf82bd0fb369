import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeliveryStatus } from '../events/delivery.js';
import { ensureCouriers } from '../subgraphs/delivery/couriers.js';
import { moveAll } from '../subgraphs/delivery/dispatch.js';
import { book, lockAccounts } from '../subgraphs/payment/ledger.js';
import { carryAll, type Step, take } from './model/commands.js';
import { compare, conserved, read } from './model/compare.js';
import type { Model } from './model/model.js';
import { drain, rush } from './model/rush.js';
import { createWorld, type World } from './model/world.js';
import { dispatching } from './support/deliveries.js';

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

/** Two couriers, and two users of whom one has money, that nobody has seen before. */
async function begin(): Promise<Model> {
  const couriers = ['Rosa', 'Emil'].map((name) => ({ id: randomUUID(), userId: randomUUID(), name }));
  await ensureCouriers(world.databases.delivery, couriers);
  const [rich, poor] = [randomUUID(), randomUUID()];
  await world.databases.payment.transaction(async ({ query }) => {
    await query('insert into accounts (user_id) values ($1), ($2)', [rich, poor]);
    const account = (await lockAccounts(query, [rich])).get(rich);
    if (account) await book(query, [{ account, kind: 'TOP_UP', amountCents: fortune, paymentId: null }]);
  });
  return {
    users: [
      { id: rich, balanceCents: fortune, toppedUpCents: fortune },
      { id: poor, balanceCents: 0, toppedUpCents: 0 },
    ],
    orders: [],
    couriers: couriers.map(({ id, userId }) => ({ id, userId, isOffDuty: false })),
  };
}
const fortune = 3_000;

/** Nothing of a run is in the way of the next, however it ended. */
async function clear(model: Model): Promise<void> {
  const { delivery } = world.databases;
  const { rows: open } = await delivery.query<{ orderId: string }>(
    `select order_id as "orderId" from deliveries where order_id = any($1::uuid[])
       and status in ('PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY')`,
    [model.orders.map(({ id }) => id)],
  );
  const moves = open.map((one) => ({ ...one, status: 'FAILED', reason: null, mover: 'staff' }) as const);
  if (moves.length > 0) await delivery.transaction((tx) => moveAll(tx, moves, dispatching.geography));
  await delivery.query('update couriers set off_duty = true where id = any($1::uuid[])', [
    model.couriers.map(({ id }) => id),
  ]);
  await world.collect(['delivery']);
  world.forget();
}

const number = fc.nat({ max: 3 });
const status = fc.oneof(
  ...(
    [
      ['PENDING', 2],
      ['IN_TRANSIT', 4],
      ['OUT_FOR_DELIVERY', 3],
      ['DELIVERED', 2],
      ['CANCELLED', 3],
      ['FAILED', 1],
    ] as const
  ).map(([value, weight]) => ({ weight, arbitrary: fc.constant<DeliveryStatus>(value) })),
);

const mover = fc.oneof(
  { weight: 1, arbitrary: number as fc.Arbitrary<unknown> },
  { weight: 2, arbitrary: fc.constant('staff') },
  { weight: 4, arbitrary: fc.constant('its courier') },
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
  stepOf(3, 'carry all'),
  stepOf(2, 'cancel', { order: number, dies: fc.boolean() }),
  stepOf(2, 'assign', { order: number, courier: fc.option(number) }),
  stepOf(5, 'assign all'),
  stepOf(1, 'unassign', { order: number }),
  stepOf(10, 'move', { order: number, status, by: mover }),
  stepOf(1, 'duty', { courier: number, isOff: fc.boolean() }),
  stepOf(1, 'report', { courier: number, north: fc.integer({ min: -50, max: 50 }) }),
  stepOf(4, 'overdue', { order: number }),
) as fc.Arbitrary<Step>;

/** Where a run begins: with orders of which nobody has heard, or which are on their way. */
const ordered: Step[] = [1, 2].map((quantity) => ({ kind: 'order', user: 0, quantity }));
const carried: Step[] = [...ordered, { kind: 'carry all' }];
const assigned: Step[] = [...carried, { kind: 'assign all' }];
const start = fc.oneof(
  { weight: 1, arbitrary: fc.constant(ordered) },
  { weight: 1, arbitrary: fc.constant(carried) },
  { weight: 2, arbitrary: fc.constant(assigned) },
  {
    weight: 1,
    arbitrary: fc.constant<Step[]>([
      ...assigned,
      { kind: 'move', order: 0, status: 'IN_TRANSIT', by: 'its courier' },
      { kind: 'overdue', order: 1 },
    ]),
  },
);
const steps = (minLength: number, maxLength: number) =>
  fc
    .tuple(start, fc.array(step, { minLength, maxLength, size: 'max' }))
    .map(([first, then]) => [...first, ...then]);

/** Runs a property of fresh users, orders and couriers. */
const check = (
  all: fc.Arbitrary<Step[]>,
  numRuns: number,
  run: (model: Model, steps: Step[]) => Promise<void>,
) =>
  fc.assert(
    fc.asyncProperty(all, async (steps) => {
      const model = await begin();
      try {
        await run(model, steps);
      } finally {
        await clear(model);
      }
    }),
    { seed, numRuns },
  );

test('whatever is done, and in whatever order events come, all is as a simple model says', { timeout }, () =>
  check(steps(3, 11), runs.inTurn, async (model, steps) => {
    for (const one of steps) await take(world, model, one);
    await carryAll(world, model);
    const found = await read(world, model);
    compare(found, model);
    conserved(found, model);
  }),
);

test('whatever is done at once, money and couriers are conserved', { timeout }, () =>
  check(steps(20, 50), runs.atOnce, async (model, steps) => {
    const first = steps.filter(({ kind }) => kind === 'top up' || kind === 'order');
    for (const one of first) await take(world, model, one);
    const rest = steps.filter((one) => !first.includes(one));
    for (let from = 0; from < rest.length; from += 15) {
      await Promise.all(rest.slice(from, from + 15).map((one) => rush(world, model, one)));
      await world.collect();
    }
    await drain(world);
    conserved(await read(world, model), model);
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
