/**
 * Changes deliveries in PostgreSQL as the delivery service does, history, outbox and doorbell included, and says when
 * each change was committed. Told by messages what to change (WriterOrder); `node writer.js <database url>`
 */
import { openDatabase } from '../../../platform/postgres/database.js';
import { record } from '../../../subgraphs/delivery/changes.js';
import { now } from '../clock.js';
import { courierId, deliveryId, orderId, statuses, userId } from '../orders.js';
import { atRate } from '../pace.js';
import type { Change, WriterOrder } from '../stage.js';
import { obey } from '../talk.js';

const database = openDatabase({ url: process.argv[2] ?? '', service: 'writer' });
/** How often each delivery has changed, by its number: all begin with their first status. */
const changed = new Map<number, number>();
let next = 0;
/** Ends with the transaction before: the changes of one order come one after the other. */
let before: Promise<unknown> = Promise.resolve();

function change(orders: number[]): Promise<Change> {
  const written = before.then(() => write(orders));
  before = written;
  return written;
}

/** Changes each of these deliveries once, in one transaction. */
async function write(orders: number[]): Promise<Change> {
  const changes = orders.map((n) => {
    const times = changed.get(n) ?? 0;
    changed.set(n, times + 1);
    const [previous, status] = [statuses[times % 2], statuses[(times + 1) % 2]];
    if (!previous || !status) throw new Error('there are two statuses');
    return {
      ...{ deliveryId: deliveryId(n), orderId: orderId(n), userId: userId(n), courierId: courierId(n) },
      courierUserId: null,
      ...{ sequence: times + 2, previous, status, reason: null, by: 'courier' as const },
    };
  });
  await database.transaction(async (tx) => {
    await tx.query(
      `update deliveries d set status = n.status, sequence = n.sequence, updated_at = now()
       from unnest($1::uuid[], $2::text[], $3::int[]) as n (id, status, sequence) where d.id = n.id`,
      [
        changes.map((one) => one.deliveryId),
        changes.map((one) => one.status),
        changes.map((one) => one.sequence),
      ],
    );
    await record(tx, changes);
  });
  return { orders, at: now() };
}

/** The next so many orders of all, round and round. */
function some(count: number, of: number): number[] {
  const orders = Array.from({ length: count }, (_, n) => (next + n) % of);
  next = (next + count) % of;
  return orders;
}

obey<WriterOrder>((order) => {
  const { each, of } = order;
  if (order.kind === 'change') return change(some(each, of));
  return atRate(order.perSecond, order.times, () => change(some(each, of)));
});
