import { must, refuse } from '../../platform/errors.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { type Courier, estimate, type LockedDelivery, lockDeliveries } from './changes.js';
import { lockCourier } from './couriers.js';
import type { Geography } from './geography.js';
import { byTurn, freshLatitude, freshLongitude, isFree } from './sql.js';

/** By what rules couriers are sent. */
export interface Dispatching {
  /** How long a courier has for a delivery, in ms. */
  deadlineMs: number;
  geography: Geography;
}

/** Who assigns couriers holds this lock, so that no two look at the same free courier. */
const assignmentLock = 7_310_003;
export const lockAssignments = (tx: Tx): Promise<unknown> =>
  tx.query('select pg_advisory_xact_lock($1)', [assignmentLock]);
const batchSize = 100;

/** A courier that can be sent. */
type FreeCourier = Omit<Courier, 'userId'> & { id: string };

/**
 * Gives waiting deliveries to free couriers: the oldest delivery first, to whose turn it is (see `byTurn`).
 * No status changes by it, so it leaves no history. Answers how many were given.
 */
export const assignCouriers = (database: Database, dispatching: Dispatching): Promise<number> =>
  database.transaction(async (tx) => {
    await lockAssignments(tx);
    // Three statements: of one, the planner does not know how many wait, and looks at all couriers for each.
    const waiting = await lockDeliveries(
      tx,
      `where d.courier_id is null and d.status = 'PENDING' order by d.id limit $1`,
      [batchSize],
    );
    if (waiting.length === 0) return 0;
    const had = new Set(waiting.flatMap(({ lastCourierId }) => lastCourierId ?? []));
    const free = await nextFree(tx, waiting.length + had.size, dispatching);
    return give(tx, pair(waiting, free), dispatching);
  });

/** Gives a delivery to the courier of this id, or to whose turn it is; in `refusable`. */
export async function assignOne(
  tx: Tx,
  delivery: LockedDelivery,
  courierId: string | null,
  dispatching: Dispatching,
): Promise<void> {
  const free = courierId === null ? await nextFree(tx, 2, dispatching) : [await lockFree(tx, courierId)];
  const pairs = pair([delivery], free);
  if (pairs.length === 0) must(refuse('CONFLICT', 'No courier is available.'));
  await give(tx, pairs, dispatching);
}

/** A courier that is asked for by name, locked; in `refusable`. */
async function lockFree(tx: Tx, courierId: string): Promise<FreeCourier> {
  const courier = await lockCourier(tx, { id: courierId });
  if (!courier) return must(refuse('NOT_FOUND', 'There is no such courier.', 'courierId'));
  if (courier.status === 'AVAILABLE') return courier;
  return must(refuse('CONFLICT', `This courier is ${courier.status}.`, 'courierId'));
}

/** Couriers that are locked: one that has just gone off duty is not sent. */
async function nextFree(tx: Tx, count: number, { geography }: Dispatching): Promise<FreeCourier[]> {
  const { rows } = await tx.query<FreeCourier>(
    `select id, transport, ${freshLatitude('c')} as latitude, ${freshLongitude('c')} as longitude
     from couriers c where ${isFree('c')} order by ${byTurn('c', geography.depot)} limit $1 for update of c`,
    [count],
  );
  return rows;
}

type Pair = readonly [LockedDelivery, FreeCourier];

/** Each delivery in turn has the first courier that it was not taken off, or that very one where there is no other. */
function pair(waiting: readonly LockedDelivery[], free: readonly FreeCourier[]): Pair[] {
  const left = [...free];
  return waiting.flatMap((delivery): Pair[] => {
    const other = left.findIndex(({ id }) => id !== delivery.lastCourierId);
    const [courier] = left.splice(Math.max(other, 0), 1);
    return courier ? [[delivery, courier]] : [];
  });
}

/** Gives deliveries to couriers; answers how many there were. */
async function give(tx: Tx, pairs: readonly Pair[], { deadlineMs, geography }: Dispatching): Promise<number> {
  const { rowCount } = await tx.query(
    `update deliveries d set courier_id = n.courier_id, deadline = now() + $4 * interval '1 ms',
       estimated_at = now() + n.seconds * interval '1 s', updated_at = now()
     from unnest($1::uuid[], $2::uuid[], $3::float8[]) as n (id, courier_id, seconds) where d.id = n.id`,
    [
      pairs.map(([{ id }]) => id),
      pairs.map(([, { id }]) => id),
      pairs.map(([delivery, courier]) => estimate(delivery, courier, geography)),
      deadlineMs,
    ],
  );
  return rowCount;
}
