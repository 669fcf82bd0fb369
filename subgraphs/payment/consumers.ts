import { orderCancelled, orderCreated } from '../../events/order.js';
import { paymentCompleted, paymentRefunded } from '../../events/payment.js';
import { userDeleted, userRegistered, userUpdated } from '../../events/user.js';
import { rememberUsers, type UserNews } from '../../platform/auth/known-users.js';
import { userNewsConsumers } from '../../platform/auth/user-news.js';
import type { AnyConsumer } from '../../platform/bus/bus.js';
import { toMessage } from '../../platform/bus/event.js';
import { inboxConsumer } from '../../platform/inbox.js';
import { currency } from '../../platform/money.js';
import { insertOutbox } from '../../platform/outbox.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { type Bill, type Charge, charge, refundable } from './domain.js';
import { book, type LockedAccount, lockAccounts } from './ledger.js';

const group = 'payment';
/** A group of its own, so that no charge that waits keeps an order unknown to those who watch it. */
const knowingGroup = 'payment-orders';

/** What the payment service does when events arrive. `closed` is told which orders were called off. */
export const consumers = (database: Database, closed: (orderId: string) => void): AnyConsumer[] => [
  inboxConsumer({
    database,
    group,
    contract: userRegistered,
    handle: (tx, events) =>
      openAccounts(
        tx,
        events.map(({ data }) => data.userId),
      ),
  }),
  inboxConsumer({
    database,
    group: knowingGroup,
    contract: orderCreated,
    handle: (tx, events) =>
      rememberOrders(
        tx,
        events.map(({ data }) => data),
      ),
  }),
  inboxConsumer({
    database,
    group,
    contract: orderCreated,
    handle: (tx, events) =>
      chargeOrders(
        tx,
        events.map(({ data }) => data),
      ),
  }),
  inboxConsumer({
    database,
    group,
    contract: orderCancelled,
    handle: (tx, events) =>
      refundOrders(
        tx,
        events.map(({ data }) => data),
      ),
    committed(events) {
      for (const { data } of events) closed(data.orderId);
    },
  }),
  ...userNewsConsumers({
    ...{ database, group, updated: userUpdated, deleted: userDeleted },
    learn: learnUsers,
  }),
];

/** What users may do has changed: whose account here was deleted has one that is closed, also where none was open yet. */
async function learnUsers(tx: Tx, news: UserNews[]): Promise<void> {
  const gone = (await rememberUsers(tx, news)).filter(({ role }) => role === null);
  if (gone.length === 0) return;
  await tx.query(
    `insert into accounts (user_id, closed_at) select id, now() from unnest($1::uuid[]) as g (id) order by id
     on conflict (user_id) do update set closed_at = now()`,
    [gone.map(({ userId }) => userId)],
  );
  // What they called their requests may say anything.
  await tx.query('delete from idempotency_keys where user_id = any($1::uuid[])', [
    gone.map(({ userId }) => userId),
  ]);
}

const openAccounts = (tx: Tx, userIds: string[]) =>
  tx
    .query(
      `insert into accounts (user_id) select distinct u.id from unnest($1::uuid[]) as u (id) order by u.id
     on conflict (user_id) do nothing`,
      [userIds],
    )
    .then(() => undefined);

const rememberOrders = (tx: Tx, orders: Bill[]) =>
  tx
    .query(
      `insert into known_orders (order_id, user_id) select * from unnest($1::uuid[], $2::uuid[]) order by 1
     on conflict (order_id) do nothing`,
      [orders.map(({ orderId }) => orderId), orders.map(({ userId }) => userId)],
    )
    .then(() => undefined);

type KnownOrder = Pick<Bill, 'orderId' | 'userId'>;

/**
 * Locks orders against each other's charge and refund, in the order of their ids, and calls them off where that is
 * asked for. Answers those that may be charged.
 */
async function lockOrders(tx: Tx, orders: readonly KnownOrder[], closes: boolean): Promise<Set<string>> {
  const userOf = new Map(orders.map(({ orderId, userId }) => [orderId, userId]));
  const { rows } = await tx.query<{ orderId: string; closed: boolean }>(
    `insert into known_orders as k (order_id, user_id, closed)
     select *, $3 from unnest($1::uuid[], $2::uuid[]) order by 1
     on conflict (order_id) do update set closed = k.closed or excluded.closed
     returning order_id as "orderId", closed`,
    [[...userOf.keys()], [...userOf.values()], closes],
  );
  return new Set(rows.flatMap(({ orderId, closed }) => (closed ? [] : orderId)));
}

/**
 * Charges orders: a fixed number of statements, however many there are. An order that has a payment is left alone, and
 * so is one that was called off.
 */
async function chargeOrders(tx: Tx, bills: Bill[]): Promise<void> {
  const userIds = bills.map(({ userId }) => userId);
  await openAccounts(tx, userIds);
  const open = await lockOrders(tx, bills, false);
  const accounts = await lockAccounts(tx.query, userIds);
  const { rows: paid } = await tx.query<{ orderId: string }>(
    'select order_id as "orderId" from payments where order_id = any($1::uuid[])',
    [bills.map(({ orderId }) => orderId)],
  );
  for (const { orderId } of paid) open.delete(orderId);
  const due = bills.filter(({ orderId }) => open.delete(orderId));
  const charges = charge(
    new Map([...accounts.values()].map(({ userId, balanceCents }) => [userId, balanceCents])),
    due,
  );
  if (charges.length > 0) await write(tx, accounts, charges);
}

async function write(
  tx: Tx,
  accounts: ReadonlyMap<string, LockedAccount>,
  charges: readonly Charge[],
): Promise<void> {
  const booked = charges.map((one) => ({ ...one, account: accountOf(accounts, one) }));
  const { rows } = await tx.query<{ id: string; orderId: string }>(
    `insert into payments (order_id, user_id, account_id, status, amount_cents)
     select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[])
     returning id, order_id as "orderId"`,
    [
      booked.map(({ orderId }) => orderId),
      booked.map(({ userId }) => userId),
      booked.map(({ account }) => account.id),
      booked.map(({ status }) => status),
      booked.map(({ totalCents }) => totalCents),
    ],
  );
  const paymentIds = new Map(rows.map(({ id, orderId }) => [orderId, id]));
  await book(
    tx.query,
    booked.flatMap(({ account, orderId, status, totalCents }) =>
      status === 'SUCCESS'
        ? { account, kind: 'CHARGE', amountCents: -totalCents, paymentId: paymentIds.get(orderId) ?? null }
        : [],
    ),
  );
  const at = new Date();
  const messages = charges.map(({ orderId, userId, status, totalCents }) => {
    const paymentId = paymentIds.get(orderId) ?? '';
    return toMessage(
      'payment',
      paymentCompleted,
      { paymentId, orderId, userId, status, amountCents: totalCents, currency },
      at,
    );
  });
  await insertOutbox(tx, messages);
}

interface PaidOrder extends KnownOrder {
  id: string;
  amountCents: number;
}

/** Gives back what was charged for orders that were called off, once; what was not charged yet never is. */
async function refundOrders(tx: Tx, orders: KnownOrder[]): Promise<void> {
  await lockOrders(tx, orders, true);
  const accounts = await lockAccounts(
    tx.query,
    orders.map(({ userId }) => userId),
  );
  const { rows: refunded } = await tx.query<PaidOrder>(
    `update payments set status = 'REFUNDED', refunded_at = now()
     where order_id = any($1::uuid[]) and status = any($2::text[])
     returning id, order_id as "orderId", user_id as "userId", amount_cents as "amountCents"`,
    [orders.map(({ orderId }) => orderId), refundable],
  );
  if (refunded.length === 0) return;
  await book(
    tx.query,
    refunded.map((payment) => ({
      account: accountOf(accounts, payment),
      kind: 'REFUND',
      amountCents: payment.amountCents,
      paymentId: payment.id,
    })),
  );
  const at = new Date();
  const messages = refunded.map(({ id, orderId, userId, amountCents }) =>
    toMessage('payment', paymentRefunded, { paymentId: id, orderId, userId, amountCents, currency }, at),
  );
  await insertOutbox(tx, messages);
}

function accountOf(accounts: ReadonlyMap<string, LockedAccount>, { userId }: KnownOrder): LockedAccount {
  const account = accounts.get(userId);
  if (!account) throw new Error(`user ${userId} has no account`);
  return account;
}
