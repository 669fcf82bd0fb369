import { run } from '../flow/seed.js';
import { courierId, deliveryId, orderId, statuses, userId } from './orders.js';

/** So many orders on their way, each of a user of its own and with a courier of its own. */
export async function seedDeliveries(url: string, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, n) => n);
  const ids = [orderId, userId, deliveryId, courierId].map((idOf) => numbers.map(idOf));
  await run(
    url,
    `with n as materialized (
       select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) as n (order_id, user_id, id, courier_id)
     ), known as (
       insert into known_orders (order_id, user_id, address, paid) select order_id, user_id, 'Long Lane 1', true from n
     ), couriers as (
       insert into couriers (id, name) select courier_id, 'Courier' from n
     ), begun as (
       insert into deliveries (id, order_id, user_id, courier_id, status, address)
       select id, order_id, user_id, courier_id, $5, 'Long Lane 1' from n
     )
     insert into delivery_changes (delivery_id, sequence, status, by) select id, 1, $5, 'system' from n`,
    [...ids, statuses[0]],
  );
  await run(url, 'vacuum analyze');
}
