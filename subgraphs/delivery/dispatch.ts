import type { DeliveryStatus } from '../../events/delivery.js';
import { must, type Result, refusable, refuse } from '../../platform/errors.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { readReason } from '../../platform/reason.js';
import { lockAssignments, move, record } from './commands.js';
import { lockCourier } from './couriers.js';
import { isFinal, refuseMove } from './domain.js';
import { byTurn, isFree } from './sql.js';

/** Who moves a delivery: staff, or the account that acts for its courier. */
export interface Mover {
  userId: string;
  isStaff: boolean;
}

/** What is done about one delivery, by its order; each answers the delivery's id. */
export interface DispatchCommands {
  /** Gives a delivery that waits to this courier, or to the one that has been free longest. Given already, it stays so. */
  assign(orderId: string, courierId: string | null): Promise<Result<string>>;
  /** Has a delivery wait for a courier again; one that waits goes on. */
  unassign(orderId: string): Promise<Result<string>>;
  move(
    orderId: string,
    status: DeliveryStatus,
    reason: string | null | undefined,
    mover: Mover,
  ): Promise<Result<string>>;
}

interface LockedDelivery {
  id: string;
  orderId: string;
  userId: string;
  courierId: string | null;
  courierUserId: string | null;
  status: DeliveryStatus;
  sequence: number;
}

const noSuchDelivery = () => refuse('NOT_FOUND', 'There is no delivery of such an order.');

/** `deadlineMs` is how long a courier has for a delivery. */
export const dispatchCommands = (database: Database, deadlineMs: number): DispatchCommands => ({
  assign: (orderId, courierId) =>
    refusable(() =>
      database.transaction(async (tx) => {
        await lockAssignments(tx);
        const delivery = must(await lockDelivery(tx, orderId));
        if (delivery.courierId !== null && delivery.courierId === courierId) return delivery.id;
        if (delivery.status !== 'PENDING')
          must(
            refuse(
              'INVALID_TRANSITION',
              `A delivery that is ${delivery.status} cannot be given to a courier.`,
            ),
          );
        if (delivery.courierId !== null)
          must(
            refuse('CONFLICT', 'The delivery has a courier already: take it off that one first.', 'orderId'),
          );
        const chosen = must(await (courierId === null ? nextFree(tx) : free(tx, courierId)));
        await tx.query(
          `update deliveries set courier_id = $2, deadline = now() + $3 * interval '1 ms', updated_at = now()
           where id = $1`,
          [delivery.id, chosen, deadlineMs],
        );
        return delivery.id;
      }),
    ),

  unassign: (orderId) =>
    refusable(() =>
      database.transaction(async (tx) => {
        const delivery = must(await lockDelivery(tx, orderId));
        if (isFinal(delivery.status))
          must(refuse('INVALID_TRANSITION', `A delivery that is ${delivery.status} cannot become PENDING.`));
        if (delivery.courierId !== null) await giveBack(tx, delivery, null, 'dispatcher');
        return delivery.id;
      }),
    ),

  move: (orderId, status, given, mover) =>
    refusable(() =>
      database.transaction(async (tx) => {
        const reason = must(readReason(given));
        const delivery = must(await lockDelivery(tx, orderId));
        if (!mover.isStaff && delivery.courierUserId !== mover.userId) must(noSuchDelivery());
        const refusal = refuseMove(delivery.status, status);
        if (refusal) must(refusal);
        if (!mover.isStaff && status === 'CANCELLED')
          must(refuse('FORBIDDEN', 'Staff alone calls deliveries off.'));
        const by = mover.isStaff ? 'dispatcher' : 'courier';
        const { courierId } = delivery;
        if (status === 'PENDING') await giveBack(tx, delivery, reason, by);
        else if (courierId === null && status === 'IN_TRANSIT')
          must(refuse('CONFLICT', 'The delivery has no courier yet.', 'orderId'));
        else await move(tx, [changeOf(delivery, status, reason, by)]);
        return delivery.id;
      }),
    ),
});

async function lockDelivery(tx: Tx, orderId: string): Promise<Result<LockedDelivery>> {
  const { rows } = await tx.query<LockedDelivery>(
    `select d.id, d.order_id as "orderId", d.user_id as "userId", d.courier_id as "courierId", d.status, d.sequence,
       (select user_id from couriers k where k.id = d.courier_id) as "courierUserId"
     from deliveries d where d.order_id = $1 for update of d`,
    [orderId],
  );
  const [value] = rows;
  return value ? { ok: true, value } : noSuchDelivery();
}

async function nextFree(tx: Tx): Promise<Result<string>> {
  const { rows } = await tx.query<{ id: string }>(
    `select id from couriers c where ${isFree('c')} order by ${byTurn('c')} limit 1 for update`,
  );
  const [first] = rows;
  return first ? { ok: true, value: first.id } : refuse('CONFLICT', 'No courier is available.');
}

async function free(tx: Tx, courierId: string): Promise<Result<string>> {
  const courier = await lockCourier(tx, { id: courierId });
  if (!courier) return refuse('NOT_FOUND', 'There is no such courier.', 'courierId');
  return courier.status === 'AVAILABLE'
    ? { ok: true, value: courierId }
    : refuse('CONFLICT', `This courier is ${courier.status}.`, 'courierId');
}

/** Takes a delivery off its courier, who is last in turn then. One that was on its way is PENDING again. */
async function giveBack(
  tx: Tx,
  delivery: LockedDelivery,
  reason: string | null,
  by: 'dispatcher' | 'courier',
): Promise<void> {
  const isMoved = delivery.status !== 'PENDING';
  await tx.query('update couriers set free_since = now() where id = $1', [delivery.courierId]);
  await tx.query(
    `update deliveries set courier_id = null, deadline = null, status = 'PENDING', sequence = $2, updated_at = now()
     where id = $1`,
    [delivery.id, delivery.sequence + Number(isMoved)],
  );
  if (isMoved) await record(tx, [changeOf(delivery, 'PENDING', reason, by)]);
}

const changeOf = (
  { id: deliveryId, orderId, userId, courierId, sequence, status: previous }: LockedDelivery,
  status: DeliveryStatus,
  reason: string | null,
  by: 'dispatcher' | 'courier',
) => ({ deliveryId, orderId, userId, courierId, sequence: sequence + 1, previous, status, reason, by });
