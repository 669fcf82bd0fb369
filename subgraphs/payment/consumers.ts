import { orderCreated } from '../../events/order.js';
import { paymentCompleted } from '../../events/payment.js';
import { userRegistered } from '../../events/user.js';
import type { AnyConsumer } from '../../platform/bus/bus.js';
import { toMessage } from '../../platform/bus/event.js';
import { inboxConsumer } from '../../platform/inbox.js';
import { currency } from '../../platform/money.js';
import { insertOutbox } from '../../platform/outbox.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { type Bill, type Charge, charge } from './domain.js';

const group = 'payment';
/** A group of its own, so that no charge that waits keeps an order unknown to those who watch it. */
const knowingGroup = 'payment-orders';

/** What the payment service does when events arrive. */
export const consumers = (database: Database): AnyConsumer[] => [
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
];

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

interface LockedAccount {
  id: string;
  userId: string;
  balanceCents: number;
}

/** Charges orders: a fixed number of statements, however many there are. An order that has a payment is left alone. */
async function chargeOrders(tx: Tx, bills: Bill[]): Promise<void> {
  const userIds = bills.map(({ userId }) => userId);
  await openAccounts(tx, userIds);
  const { rows: accounts } = await tx.query<LockedAccount>(
    `select id, user_id as "userId", balance_cents as "balanceCents" from accounts
     where user_id = any($1::uuid[]) order by id for update`,
    [userIds],
  );
  const { rows: paid } = await tx.query<{ orderId: string }>(
    'select order_id as "orderId" from payments where order_id = any($1::uuid[])',
    [bills.map(({ orderId }) => orderId)],
  );
  const seen = new Set(paid.map(({ orderId }) => orderId));
  const due = bills.filter(({ orderId }) => !seen.has(orderId) && seen.add(orderId));
  const charges = charge(new Map(accounts.map(({ userId, balanceCents }) => [userId, balanceCents])), due);
  if (charges.length > 0)
    await write(tx, new Map(accounts.map((account) => [account.userId, account.id])), charges);
}

async function write(tx: Tx, accountIds: Map<string, string>, charges: Charge[]): Promise<void> {
  const { rows } = await tx.query<{ id: string; orderId: string }>(
    `insert into payments (order_id, user_id, account_id, status, amount_cents)
     select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[])
     returning id, order_id as "orderId"`,
    [
      charges.map(({ orderId }) => orderId),
      charges.map(({ userId }) => userId),
      charges.map(({ userId }) => accountIds.get(userId)),
      charges.map(({ status }) => status),
      charges.map(({ totalCents }) => totalCents),
    ],
  );
  const paymentIds = new Map(rows.map(({ id, orderId }) => [orderId, id]));
  const taken = charges.filter(({ status }) => status === 'SUCCESS');
  // The later charge of an account stands for all of them: each says what it left.
  const balances = new Map(taken.map(({ userId, balanceAfterCents }) => [userId, balanceAfterCents]));
  await tx.query(
    `update accounts a set balance_cents = n.balance_cents, updated_at = now()
     from unnest($1::uuid[], $2::bigint[]) as n (user_id, balance_cents) where a.user_id = n.user_id`,
    [[...balances.keys()], [...balances.values()]],
  );
  await tx.query(
    `insert into ledger_entries (account_id, kind, amount_cents, balance_after_cents, payment_id)
     select account_id, 'CHARGE', -amount_cents, balance_after_cents, payment_id
     from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[]) with ordinality
       as n (account_id, amount_cents, balance_after_cents, payment_id, position) order by position`,
    [
      taken.map(({ userId }) => accountIds.get(userId)),
      taken.map(({ totalCents }) => totalCents),
      taken.map(({ balanceAfterCents }) => balanceAfterCents),
      taken.map(({ orderId }) => paymentIds.get(orderId)),
    ],
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
