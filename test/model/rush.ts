import { randomUUID } from 'node:crypto';
import { assignCouriers } from '../../subgraphs/delivery/assign.js';
import { releaseOverdue } from '../../subgraphs/delivery/deadlines.js';
import { dispatching } from '../support/deliveries.js';
import { maxAttempts, type Step } from './commands.js';
import type { Model } from './model.js';
import { carry, type Lane, type World } from './world.js';

const { geography } = dispatching;

/** Does a step beside others: who comes first is not known, and so it is not said how it should end. */
export async function rush(world: World, model: Model, step: Step): Promise<unknown> {
  const { databases, dispatch, orders, couriers } = world;
  const courier = (n: number) => model.couriers[n % model.couriers.length];
  const orderId = 'order' in step ? (model.orders[step.order % model.orders.length]?.id ?? randomUUID()) : '';
  switch (step.kind) {
    case 'carry':
      return deliver(world.busy()[step.lane % world.busy().length], step.count);
    case 'carry all':
      return Promise.all(world.busy().map((lane) => deliver(lane, lane.waiting.length)));
    case 'cancel':
      return model.orders.length > 0 && orders.cancelOrder({ orderId, by: 'customer', reason: null });
    case 'assign':
      return dispatch.assign(orderId, step.courier === null ? null : (courier(step.courier)?.id ?? null));
    case 'assign all':
      return assignCouriers(databases.delivery, dispatching);
    case 'unassign':
      return dispatch.unassign(orderId);
    case 'move': {
      const mover = typeof step.by === 'number' ? { userId: courier(step.by)?.userId ?? '' } : 'staff';
      return dispatch.move(orderId, step.status, null, mover);
    }
    case 'duty':
      return couriers.setStatus(
        { userId: courier(step.courier)?.userId ?? '' },
        step.isOff ? 'OFFLINE' : 'AVAILABLE',
      );
    case 'report':
      return couriers.report(courier(step.courier)?.userId ?? '', geography.depot);
    case 'overdue':
      await databases.delivery.query(
        'update deliveries set deadline = now() where order_id = $1 and courier_id is not null',
        [orderId],
      );
      return releaseOverdue(databases.delivery, maxAttempts, dispatching);
    default:
      return undefined;
  }
}

const running = new WeakMap<Lane, Promise<unknown>>();

/** One batch of a lane at a time, as its partition is read; the same once more now and then, as after a lost offset. */
async function deliver(lane: Lane | undefined, count: number): Promise<void> {
  if (!lane) return;
  const before = running.get(lane);
  const mine = (async () => {
    await before;
    await carry(lane, count);
    await carry(lane, 0, count);
  })();
  running.set(lane, mine);
  await mine;
}

/** Until nothing is on its way. */
export async function drain(world: World): Promise<void> {
  await world.collect();
  for (let lanes = world.busy(); lanes.length > 0; lanes = world.busy()) {
    await Promise.all(lanes.map((lane) => deliver(lane, lane.waiting.length)));
    await world.collect();
  }
}
