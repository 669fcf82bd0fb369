import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { DeliveryStatus } from '../../events/delivery.js';
import type { Event } from '../../platform/bus/event.js';
import type { ErrorCode, Result } from '../../platform/errors.js';
import { assignCouriers } from '../../subgraphs/delivery/assign.js';
import { cancelDelivery } from '../../subgraphs/delivery/cancel.js';
import { releaseOverdue } from '../../subgraphs/delivery/deadlines.js';
import { dispatching } from '../support/deliveries.js';
import type { Model, ModelOrder } from './model.js';
import * as rules from './model.js';
import { carry, type Lane, priceCents, type World } from './world.js';

/** What is done to the world, and to the model, which says how it should end. Numbers pick one of what there is. */
export type Step =
  | { kind: 'top up'; user: number; cents: number; repeated: boolean }
  | { kind: 'order'; user: number; quantity: number }
  | { kind: 'carry'; lane: number; count: number; again: number }
  | { kind: 'carry all' }
  | { kind: 'cancel'; order: number; dies: boolean }
  | { kind: 'assign'; order: number; courier: number | null }
  | { kind: 'assign all' }
  | { kind: 'unassign'; order: number }
  | { kind: 'move'; order: number; status: DeliveryStatus; by: number | 'staff' | 'its courier' }
  | { kind: 'duty'; courier: number; isOff: boolean }
  | { kind: 'report'; courier: number; north: number }
  | { kind: 'overdue'; order: number };

export const maxAttempts = 2;
const { geography } = dispatching;
type Code = ErrorCode | 'ok';

/** What is answered is what the model says; the world counts how often. */
function answered(world: World, kind: Step['kind'], result: Result<unknown>, expected: Code): void {
  expect(result.ok ? 'ok' : result.code).toBe(expected);
  world.count(`${kind}: ${expected}`);
}
const pick = <T>(list: readonly T[], number: number): T | undefined => list[number % list.length];

/** Does a step, and compares what is answered with what the model says. */
export async function take(world: World, model: Model, step: Step): Promise<void> {
  if ('order' in step) {
    const order = pick(model.orders, step.order);
    if (!order) return;
    await takeWith(world, model, order, step);
    return world.collect(['order', 'delivery']);
  }
  switch (step.kind) {
    case 'top up':
      return topUp(world, model, step);
    case 'order':
      await place(world, model, step);
      return world.collect(['order']);
    case 'carry': {
      const lane = pick(step.again > 0 ? world.all() : world.busy(), step.lane);
      if (!lane) return;
      hear(world, model, lane, await carry(lane, step.count, step.again));
      return world.collect([lane.service]);
    }
    case 'carry all':
      return carryAll(world, model);
    case 'assign all':
      return assignAll(world, model);
    case 'duty':
      return duty(world, model, step);
    case 'report':
      return report(world, model, step);
  }
}

/** Until nothing is on its way. */
export async function carryAll(world: World, model: Model): Promise<void> {
  await world.collect();
  for (let next = await world.carryNext(); next; next = await world.carryNext()) {
    hear(world, model, next.lane, next.events);
    await world.collect([next.lane.service]);
  }
}

async function topUp(world: World, model: Model, step: Step & { kind: 'top up' }) {
  const { user: n, cents, repeated } = step;
  const user = pick(model.users, n);
  if (!user) return;
  const amount = (cents / 100).toFixed(2);
  const request = { by: user.id, userId: user.id, amount, idempotencyKey: randomUUID() };
  answered(world, 'top up', await world.payments.topUp(request), 'ok');
  // A second time it adds nothing.
  if (repeated) answered(world, 'top up', await world.payments.topUp(request), 'ok');
  user.balanceCents += cents;
  user.toppedUpCents += cents;
}

async function place(world: World, model: Model, { user: n, quantity }: Step & { kind: 'order' }) {
  const number = n % model.users.length;
  const items = [{ productId: world.productId, quantity, price: (priceCents / 100).toFixed(2) }];
  const request = { items, deliveryAddress: `Long Lane ${quantity}` };
  const result = await world.orders.createOrder(model.users[number]?.id ?? '', request);
  if (!result.ok) throw new Error(result.message);
  model.orders.push({
    ...{ id: result.value, user: number, totalCents: quantity * priceCents, status: 'PENDING', copy: null },
    ...{ payment: 'none', isVoid: false },
    ...{ hasAddress: false, isPaid: null, isClosed: false, delivery: null },
  });
}

/** What events change that a service has not handled before. */
function hear(
  world: World,
  model: Model,
  { consumer: { group, contract } }: Lane,
  events: readonly Event[],
): void {
  for (const { data } of events) {
    const said = data as { orderId: string; status: string; deliveryId: string | null };
    const order = model.orders.find(({ id }) => id === said.orderId);
    if (!order) continue;
    const before = order.payment;
    switch (`${group} ${contract.topic}`) {
      case 'payment order.created':
        rules.charge(model, order);
        break;
      case 'payment order.cancelled':
        rules.refund(model, order);
        break;
      case 'delivery order.created':
        rules.begin(order, { hasAddress: true });
        break;
      case 'delivery payment.completed':
        rules.begin(order, { isPaid: said.status === 'SUCCESS' });
        break;
      case 'order payment.completed':
        rules.learnPayment(order, said.status === 'SUCCESS');
        break;
      case 'order delivery.status.updated':
        rules.learnDelivery(order, said.status as DeliveryStatus, said.deliveryId !== null);
        break;
    }
    if (order.payment !== before) world.count(`payment: ${order.payment}`);
  }
}

type OrderStep = Extract<Step, { order: number }>;

async function takeWith(world: World, model: Model, order: ModelOrder, step: OrderStep): Promise<void> {
  switch (step.kind) {
    case 'cancel':
      return step.dies ? cancelHalf(world, model, order) : cancel(world, order);
    case 'assign':
      return assign(world, model, order, step.courier);
    case 'unassign': {
      const { delivery } = order;
      const expected = !delivery ? 'NOT_FOUND' : rules.isOpen(delivery.status) ? 'ok' : 'INVALID_TRANSITION';
      answered(world, 'unassign', await world.dispatch.unassign(order.id), expected);
      if (expected === 'ok' && delivery?.courier !== null) rules.moved(order, 'PENDING');
      return;
    }
    case 'move':
      return move(world, model, order, step);
    case 'overdue': {
      const { rows } = await world.databases.delivery.query(
        `update deliveries set deadline = now() where order_id = $1 and courier_id is not null
           and status in ('PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY') returning id`,
        [order.id],
      );
      const isDue =
        order.delivery !== null && order.delivery.courier !== null && rules.isOpen(order.delivery.status);
      expect(rows).toHaveLength(Number(isDue));
      expect(await releaseOverdue(world.databases.delivery, maxAttempts, dispatching)).toBe(Number(isDue));
      if (!isDue || !order.delivery) return;
      order.delivery.attempts += 1;
      rules.moved(order, order.delivery.attempts < maxAttempts ? 'PENDING' : 'FAILED');
      world.count(`overdue: ${order.delivery.status}`);
    }
  }
}

/** Whether delivery still agrees to a cancel, and what it leads to there. */
function callOff(order: ModelOrder): boolean {
  const { delivery } = order;
  if (delivery && delivery.status !== 'CANCELLED' && !rules.mayBecome(delivery.status, 'CANCELLED'))
    return false;
  order.isClosed = true;
  if (delivery) rules.moved(order, 'CANCELLED');
  return true;
}

async function cancel(world: World, order: ModelOrder): Promise<void> {
  const result = await world.orders.cancelOrder({ orderId: order.id, by: 'customer', reason: null });
  if (order.status === 'CANCELLED') return answered(world, 'cancel', result, 'ok');
  if (order.status === 'COMPLETED' || order.status === 'INSUFFICIENT_FUNDS' || !callOff(order))
    return answered(world, 'cancel', result, 'INVALID_TRANSITION');
  answered(world, 'cancel', result, 'ok');
  rules.learnDelivery(order, 'CANCELLED', order.delivery !== null);
}

/** The order's process dies once delivery has answered: what delivery tells by its event finishes it. */
async function cancelHalf(world: World, model: Model, order: ModelOrder): Promise<void> {
  const userId = model.users[order.user]?.id ?? '';
  const request = { orderId: order.id, userId, by: 'customer' as const, reason: null };
  const result = await cancelDelivery(world.databases.delivery, request, geography);
  answered(world, 'cancel', result, callOff(order) ? 'ok' : 'INVALID_TRANSITION');
}

async function assign(world: World, model: Model, order: ModelOrder, n: number | null): Promise<void> {
  const courier = n === null ? null : n % model.couriers.length;
  const id = courier === null ? null : (model.couriers[courier]?.id ?? '');
  const free = model.couriers.flatMap((_, index) => (rules.isFree(model, index) ? [index] : []));
  const result = await world.dispatch.assign(order.id, id);
  const { delivery } = order;
  const expected = (): Code => {
    if (!delivery) return 'NOT_FOUND';
    const isOver = ['DELIVERED', 'CANCELLED', 'FAILED'].includes(delivery.status);
    if (courier !== null && delivery.courier === courier && !isOver) return 'ok';
    if (delivery.status !== 'PENDING') return 'INVALID_TRANSITION';
    if (delivery.courier !== null) return 'CONFLICT';
    return (courier === null ? free.length > 0 : free.includes(courier)) ? 'ok' : 'CONFLICT';
  };
  answered(world, 'assign', result, expected());
  if (result.ok && delivery && delivery.courier === null)
    delivery.courier = courier ?? (await courierOf(world, model, order));
}

/** Who has a delivery: the world chooses among those that are free. */
async function courierOf(world: World, model: Model, order: ModelOrder): Promise<number | null> {
  const { rows } = await world.databases.delivery.query<{ id: string | null }>(
    'select courier_id as id from deliveries where order_id = $1',
    [order.id],
  );
  const courier = model.couriers.findIndex(({ id }) => id === rows[0]?.id);
  if (courier < 0) return null;
  expect(rules.isFree(model, courier)).toBe(true);
  return courier;
}

async function assignAll(world: World, model: Model): Promise<void> {
  const waiting = model.orders.filter(
    ({ delivery }) => delivery?.status === 'PENDING' && delivery.courier === null,
  );
  const free = model.couriers.filter((_, index) => rules.isFree(model, index)).length;
  const given = await assignCouriers(world.databases.delivery, dispatching);
  expect(given).toBe(Math.min(waiting.length, free));
  world.count(`assign all: ${given}`);
  for (const order of waiting)
    if (order.delivery) order.delivery.courier = await courierOf(world, model, order);
  expect(waiting.filter(({ delivery }) => delivery?.courier !== null)).toHaveLength(given);
}

async function move(
  world: World,
  model: Model,
  order: ModelOrder,
  { status, by }: Step & { kind: 'move' },
): Promise<void> {
  const courier =
    by === 'staff'
      ? null
      : by === 'its courier'
        ? (order.delivery?.courier ?? 0)
        : by % model.couriers.length;
  const mover = courier === null ? 'staff' : { userId: model.couriers[courier]?.userId ?? '' };
  const { delivery } = order;
  const expected = (): Code => {
    if (!delivery || (courier !== null && delivery.courier !== courier)) return 'NOT_FOUND';
    if (!rules.mayBecome(delivery.status, status)) return 'INVALID_TRANSITION';
    if (courier !== null && status === 'CANCELLED') return 'FORBIDDEN';
    return delivery.courier === null && status === 'IN_TRANSIT' ? 'CONFLICT' : 'ok';
  };
  const result = await world.dispatch.move(order.id, status, null, mover);
  answered(world, 'move', result, expected());
  if (!result.ok && result.code === 'INVALID_TRANSITION')
    expect(result.message).toMatch(new RegExp(`${delivery?.status}.*${status}`));
  if (result.ok) rules.moved(order, status);
}

async function duty(world: World, model: Model, { courier: n, isOff }: Step & { kind: 'duty' }) {
  const courier = pick(model.couriers, n);
  if (!courier) return;
  const status = isOff ? 'OFFLINE' : 'AVAILABLE';
  answered(world, 'duty', await world.couriers.setStatus({ userId: courier.userId }, status), 'ok');
  courier.isOffDuty = isOff;
}

async function report(world: World, model: Model, { courier: n, north }: Step & { kind: 'report' }) {
  const { depot } = geography;
  const place = { latitude: depot.latitude + north / 1_000, longitude: depot.longitude };
  answered(world, 'report', await world.couriers.report(pick(model.couriers, n)?.userId ?? '', place), 'ok');
}
