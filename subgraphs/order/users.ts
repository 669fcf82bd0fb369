import { orderErased } from '../../events/order.js';
import { rememberUsers, type UserNews } from '../../platform/auth/known-users.js';
import { toMessage } from '../../platform/bus/event.js';
import type { Log } from '../../platform/log.js';
import { insertOutbox } from '../../platform/outbox.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { erased } from '../../platform/text.js';
import type { OrderCommands } from './commands.js';
import { openStatuses } from './domain.js';

/** What users may do has changed: whose account was deleted orders no more, from this transaction on. */
export async function learnUsers(tx: Tx, news: UserNews[]): Promise<void> {
  const gone = (await rememberUsers(tx, news)).filter(({ role }) => role === null);
  if (gone.length === 0) return;
  // Who places an order holds this row: its order stands by now, or is refused.
  await tx.query(
    `insert into order_feeds as f (user_id, closed) select *, true from unnest($1::uuid[]) as g (id) order by id
     on conflict (user_id) do update set closed = true`,
    [gone.map(({ userId }) => userId)],
  );
}

const usersAtOnce = 100;
const ordersAtOnce = 500;

/**
 * Calls the orders of deleted users off, as far as there is time for that, and erases what is personal in those that can no
 * longer change. What cannot be called off now, because delivery is away or the courier at the door, is looked at again
 * later. Safe with several replicas. Answers whether anything was erased.
 */
export async function eraseOrders(
  database: Database,
  { cancelOrder }: Pick<OrderCommands, 'cancelOrder'>,
  log: Log,
): Promise<boolean> {
  const { rows } = await database.query<{ userId: string }>(
    `select user_id as "userId" from known_users where role is null and erased_at is null
     order by random() limit $1`,
    [usersAtOnce],
  );
  let isNews = false;
  for (const { userId } of rows) {
    const open = await database.query<{ orderId: string }>(
      `select id as "orderId" from orders where user_id = $1 and status = any($2::text[])`,
      [userId, openStatuses],
    );
    for (const { orderId } of open.rows) {
      const result = await cancelOrder({ orderId, by: 'system', reason: 'The account was deleted.' });
      if (!result.ok) log.info({ orderId, code: result.code }, 'an order of a deleted user goes on for now');
    }
    while (await database.transaction((tx) => eraseSome(tx, userId))) isNews = true;
  }
  return isNews;
}

/** Erases some orders of a user; answers whether there were any. Once all are done there is nothing to come back for. */
async function eraseSome(tx: Tx, userId: string): Promise<boolean> {
  const { rows } = await tx.query<{ orderId: string }>(
    `update orders o set delivery_address = $2 from (
       select id from orders where user_id = $1 and delivery_address <> $2 and status <> all($3::text[])
       order by id limit $4 for update) n
     where o.id = n.id returning o.id as "orderId"`,
    [userId, erased, openStatuses, ordersAtOnce],
  );
  const at = new Date();
  await insertOutbox(
    tx,
    rows.map(({ orderId }) => toMessage('order', orderErased, { orderId, userId }, at)),
  );
  if (rows.length > 0) return true;
  // The hash of an input is that of an address too.
  await tx.query('delete from idempotency_keys where user_id = $1', [userId]);
  await tx.query(
    `update known_users set erased_at = now() where user_id = $1 and not exists (
       select from orders where user_id = $1 and status = any($2::text[]))`,
    [userId, openStatuses],
  );
  return false;
}
