import type { DeliveryStatus } from '../../events/delivery.js';
import { must, ok, type Refusal, type Result, refusable, refuse } from '../../platform/errors.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { readReason } from '../../platform/reason.js';
import { assignOne, type Dispatching, lockAssignments } from './assign.js';
import { apply, type Decision, type LockedDelivery, lockDeliveries } from './changes.js';
import { decideMove, decideUnassign, isFinal, refuseAssign } from './domain.js';
import type { Geography } from './geography.js';

/** Who moves a delivery: staff, or its courier, known by its id or by the account that acts for it. */
export type Mover = 'staff' | { courierId: string } | { userId: string };

/** What is done about one delivery, by its order; each answers the delivery's id. */
export interface DispatchCommands {
  /** Gives a delivery that waits to this courier, or to whose turn it is. What this courier brings already it goes on with. */
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

/** `freed` is called when a courier may have become free. */
export function dispatchCommands(
  database: Database,
  dispatching: Dispatching,
  freed: () => void = () => undefined,
): DispatchCommands {
  const inTransaction = (work: (tx: Tx) => Promise<string>) => refusable(() => database.transaction(work));
  return {
    assign: (orderId, courierId) =>
      inTransaction(async (tx) => {
        await lockAssignments(tx);
        const delivery = await lockOne(tx, orderId);
        const isGiven = delivery.courierId !== null && delivery.courierId === courierId;
        if (isGiven && !isFinal(delivery.status)) return delivery.id;
        const refusal = refuseAssign(delivery);
        if (refusal) must(refusal);
        await assignOne(tx, delivery, courierId, dispatching);
        return delivery.id;
      }),

    async unassign(orderId) {
      const result = await inTransaction(async (tx) => {
        const delivery = await lockOne(tx, orderId);
        const after = must(decideUnassign(delivery));
        if (delivery.courierId !== null)
          await apply(tx, [{ delivery, after, reason: null, by: 'dispatcher' }], dispatching.geography);
        return delivery.id;
      });
      freed();
      return result;
    },

    async move(orderId, status, given, mover) {
      const result = await inTransaction(async (tx) => {
        const reason = must(readReason(given));
        const [moved = noSuchDelivery()] = await moveAll(
          tx,
          [{ orderId, status, reason, mover }],
          dispatching.geography,
        );
        return must(moved);
      });
      freed();
      return result;
    },
  };
}

/** A delivery that somebody wants to move. */
export interface Move {
  orderId: string;
  status: DeliveryStatus;
  reason: string | null;
  mover: Mover;
}

/**
 * Moves deliveries along, each once; one that may not go where it is wanted stays. Five statements at most, however many
 * there are. Answers the id of each delivery, or why it stays.
 */
export async function moveAll(tx: Tx, moves: Move[], geography: Geography): Promise<Result<string>[]> {
  const locked = await lockDeliveries(tx, 'where d.order_id = any($1::uuid[]) order by d.id', [
    moves.map(({ orderId }) => orderId),
  ]);
  const deliveries = new Map(locked.map((delivery) => [delivery.orderId, delivery]));
  const decisions = moves.map((move) => decide(deliveries.get(move.orderId), move));
  await apply(
    tx,
    decisions.flatMap((decision) => (decision.ok ? [decision.value] : [])),
    geography,
  );
  return decisions.map((decision) => (decision.ok ? ok(decision.value.delivery.id) : decision));
}

/** Somebody else's delivery is none. */
function decide(delivery: LockedDelivery | undefined, { status, reason, mover }: Move): Result<Decision> {
  if (!delivery || !isMovedBy(delivery, mover)) return noSuchDelivery();
  const by = mover === 'staff' ? 'dispatcher' : 'courier';
  const after = decideMove(delivery, status, by);
  return after.ok ? ok({ delivery, after: after.value, reason, by }) : after;
}

function isMovedBy({ courierId, courier }: LockedDelivery, mover: Mover): boolean {
  if (mover === 'staff') return true;
  return 'courierId' in mover ? mover.courierId === courierId : mover.userId === courier?.userId;
}

async function lockOne(tx: Tx, orderId: string): Promise<LockedDelivery> {
  const [delivery] = await lockDeliveries(tx, 'where d.order_id = $1', [orderId]);
  return delivery ?? must(noSuchDelivery());
}

const noSuchDelivery = (): Refusal => refuse('NOT_FOUND', 'There is no delivery of such an order.');
