import { courierLocationUpdated } from '../../events/delivery.js';
import { toMessage } from '../../platform/bus/event.js';
import { insertOutbox } from '../../platform/outbox.js';
import type { Tx } from '../../platform/postgres/database.js';
import { estimate, lockDeliveries } from './changes.js';
import type { Geography, Place } from './geography.js';
import { active } from './sql.js';

/** Where a courier says that it is. */
export type Report = Place & { courierId: string };

/**
 * Puts a courier where it says that it is, or several who all bring something, each once, and renews the estimates of what they bring: four statements at
 * most, however many there are. It is no change of a delivery's status, and leaves no history.
 */
export async function report(tx: Tx, reports: Report[], geography: Geography): Promise<void> {
  const places = new Map(reports.map((one) => [one.courierId, one]));
  // Deliveries are locked before couriers, as by all who lock both, and in the order of their ids: so nobody waits in a
  // circle. A courier that brings nothing reports alone.
  const deliveries = await lockDeliveries(
    tx,
    `where d.courier_id = any($1::uuid[]) and d.${active} order by d.id`,
    [[...places.keys()]],
  );
  const moved = [...places.values()];
  const { rows } = await tx.query<{ id: string; courierUserId: string | null; at: Date }>(
    `update couriers k set latitude = ($2::float8[])[array_position($1::uuid[], k.id)],
       longitude = ($3::float8[])[array_position($1::uuid[], k.id)], located_at = clock_timestamp()
     where k.id = any($1::uuid[]) returning k.id, k.user_id as "courierUserId", k.located_at as at`,
    [
      moved.map(({ courierId }) => courierId),
      moved.map(({ latitude }) => latitude),
      moved.map(({ longitude }) => longitude),
    ],
  );
  const estimates = await renew(
    tx,
    deliveries.map((delivery) => {
      const { courier, courierId } = delivery;
      const { latitude, longitude } = places.get(courierId ?? '') as Report;
      return {
        id: delivery.id,
        seconds: courier && estimate(delivery, { ...courier, latitude, longitude }, geography),
      };
    }),
  );
  const brought = new Map(deliveries.map((delivery) => [delivery.courierId, delivery]));
  await insertOutbox(
    tx,
    rows.map(({ id: courierId, courierUserId, at }) => {
      const { latitude, longitude } = places.get(courierId) as Report;
      const delivery = brought.get(courierId);
      const data = {
        ...{ courierId, courierUserId, latitude, longitude, at: at.toISOString() },
        orderId: delivery?.orderId ?? null,
        userId: delivery?.userId ?? null,
        estimatedAt: (delivery && estimates.get(delivery.id)?.toISOString()) ?? null,
      };
      return toMessage('delivery', courierLocationUpdated, data, at);
    }),
  );
}

/** When each is at its door, by the database's clock. */
async function renew(
  tx: Tx,
  deliveries: { id: string; seconds: number | null }[],
): Promise<Map<string, Date | null>> {
  if (deliveries.length === 0) return new Map();
  const { rows } = await tx.query<{ id: string; estimatedAt: Date | null }>(
    `update deliveries d set estimated_at = now() + n.seconds * interval '1 s'
     from unnest($1::uuid[], $2::float8[]) as n (id, seconds) where d.id = n.id
     returning d.id, d.estimated_at as "estimatedAt"`,
    [deliveries.map(({ id }) => id), deliveries.map(({ seconds }) => seconds)],
  );
  return new Map(rows.map(({ id, estimatedAt }) => [id, estimatedAt]));
}
