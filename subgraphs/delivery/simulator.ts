import type { Database } from '../../platform/postgres/database.js';
import { moveAll } from './dispatch.js';
import { nextStep } from './domain.js';
import { between, doorOf, type Geography, type Place } from './geography.js';
import { report } from './positions.js';
import type { DeliveryRow } from './rows.js';
import { active } from './sql.js';

const batchSize = 100;

/** Has couriers take every delivery that has stood still for `stepMs` one step further. Answers how many. */
export const advanceDeliveries = (
  database: Database,
  stepMs: number,
  geography: Geography,
): Promise<number> =>
  database.transaction(async (tx) => {
    const { rows } = await tx.query<Pick<DeliveryRow, 'orderId' | 'status'> & { courierId: string }>(
      `select order_id as "orderId", courier_id as "courierId", status
       from deliveries where courier_id is not null and ${active}
         and updated_at <= now() - $1 * interval '1 ms'
       order by updated_at limit $2 for update skip locked`,
      [stepMs, batchSize],
    );
    // Most looks find nothing.
    if (rows.length === 0) return 0;
    const moves = rows.flatMap(({ orderId, courierId, status }) => {
      const next = nextStep(status);
      return next ? [{ orderId, status: next, reason: null, mover: { courierId } }] : [];
    });
    const moved = await moveAll(tx, moves, geography);
    return moved.filter((one) => one.ok).length;
  });

type Underway = Pick<DeliveryRow, 'status' | 'address'> & { courierId: string; part: number };

/**
 * Has couriers who bring something, and have been silent for `everyMs`, say where they are: at the depot until they set
 * out, then as far on their way as the time since tells, of two steps of `stepMs`. Answers how many.
 */
export const walkCouriers = (
  database: Database,
  options: { stepMs: number; everyMs: number },
  geography: Geography,
): Promise<number> =>
  database.transaction(async (tx) => {
    const { rows } = await tx.query<Underway>(
      `select k.id as "courierId", d.status, d.address,
         least(extract(epoch from now() - d.updated_at) * 1000 / greatest($1::float8, 1), 1)::float8 as part
       from deliveries d join couriers k on k.id = d.courier_id
       where d.courier_id is not null and d.${active}
         and coalesce(k.located_at <= now() - $2 * interval '1 ms', true)
       order by k.located_at nulls first limit $3 for update of d skip locked`,
      [options.stepMs, options.everyMs, batchSize],
    );
    if (rows.length === 0) return 0;
    await report(
      tx,
      rows.map(({ courierId, ...way }) => ({ courierId, ...whereOn(way, geography) })),
      geography,
    );
    return rows.length;
  });

/** The last fifth of the way is the last step. */
const lastStep = 0.2;

function whereOn({ status, address, part }: Omit<Underway, 'courierId'>, geography: Geography): Place {
  const { depot } = geography;
  const door = doorOf(address, geography);
  if (status === 'IN_TRANSIT') return between(depot, door, part * (1 - lastStep));
  if (status === 'OUT_FOR_DELIVERY') return between(depot, door, 1 - lastStep + part * lastStep);
  return depot;
}
