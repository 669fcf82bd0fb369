import DataLoader from 'dataloader';
import type { PageRequest } from '../../platform/graphql/connection.js';
import { memo, rowLoader, rowsLoader } from '../../platform/graphql/loader.js';
import { columnsOf, toReadings } from '../../platform/live/readings.js';
import type { Read } from '../../platform/live/source.js';
import type { Reader, Tx } from '../../platform/postgres/database.js';
import type { AccountRow, LedgerEntryRow, PaymentRow } from './rows.js';

const accountColumns = 'id, user_id as "userId", balance_cents as "balanceCents"';
const paymentColumns = `id, order_id as "orderId", user_id as "userId", status, amount_cents as "amountCents",
  created_at as "createdAt", refunded_at as "refundedAt"`;

/** Statements are made once: they are found by their text, and each new text has to be read for that. */
const statements = {
  account: `select ${accountColumns} from accounts where id = any($1::uuid[])`,
  accountOfUser: `select ${accountColumns} from accounts where user_id = any($1::uuid[])`,
  payment: `select ${paymentColumns} from payments where id = any($1::uuid[])`,
  paymentOfOrder: `select ${paymentColumns} from payments where order_id = any($1::uuid[])`,
};

const accounts = (reader: Reader, text: string, keyOf: (row: AccountRow) => string) =>
  rowLoader((keys) => reader.read<AccountRow>(text, [keys]), keyOf);

const payments = (reader: Reader, text: string, keyOf: (row: PaymentRow) => string) =>
  rowLoader((keys) => reader.read<PaymentRow>(text, [keys]), keyOf);

/** The pages of many accounts' entries, newest first: one statement for all who ask for the same page. */
const entriesOfAccounts = (reader: Reader, page: PageRequest) =>
  rowsLoader<LedgerEntryRow>(
    (accountIds) =>
      reader.read<LedgerEntryRow>(
        `select e.* from unnest($1::uuid[]) as a (id) cross join lateral (
           select id, account_id as "accountId", kind, amount_cents as "amountCents",
             balance_after_cents as "balanceAfterCents", payment_id as "paymentId", created_at as "createdAt"
           from ledger_entries where account_id = a.id and ($2::uuid is null or id < $2)
           order by id desc limit $3) e`,
        [accountIds, page.after, page.first + 1],
      ),
    ({ accountId }) => accountId,
  );

const entryCounts = (reader: Reader) =>
  new DataLoader<string, number>(async (accountIds) => {
    const rows = await reader.read<{ accountId: string; count: number }>(
      `select account_id as "accountId", count(*) from ledger_entries where account_id = any($1::uuid[]) group by account_id`,
      [accountIds],
    );
    const counts = new Map(rows.map(({ accountId, count }) => [accountId, count]));
    return accountIds.map((id) => counts.get(id) ?? 0);
  });

/** The loaders of one request. */
export function createLoaders(reader: Reader) {
  const entries = memo((key) => entriesOfAccounts(reader, JSON.parse(key) as PageRequest));
  return {
    account: accounts(reader, statements.account, ({ id }) => id),
    accountOfUser: accounts(reader, statements.accountOfUser, ({ userId }) => userId),
    payment: payments(reader, statements.payment, ({ id }) => id),
    paymentOfOrder: payments(reader, statements.paymentOfOrder, ({ orderId }) => orderId),
    /** The loader of `Account.entries` for one page. */
    entries: ({ first, after }: PageRequest) => entries(JSON.stringify({ first, after })),
    entryCount: entryCounts(reader),
  };
}

export type Loaders = ReturnType<typeof createLoaders>;

type WatchedOrder = { place: number; ownerId: string; closed: boolean | null } & ({ id: null } | PaymentRow);

const watchedPayments = `select w.place::int, coalesce(k.user_id, p."userId") as "ownerId", k.closed, p.*
  from unnest($1::uuid[], $2::int[], $3::int[], $4::boolean[]) with ordinality as w (id, after, most, known, place)
  left join known_orders k on k.order_id = w.id
  left join lateral (select ${paymentColumns} from payments where order_id = w.id) p on true
  where p.id is not null or k.closed or (k.order_id is not null and not w.known)`;

/** The payments of all watched orders, in one statement: one moment for all. */
export const readPayments =
  (tx: Tx): Read<PaymentRow> =>
  async (watches) => {
    const { rows } = await tx.query<WatchedOrder>(watchedPayments, columnsOf(watches));
    return toReadings(watches, rows, ({ place: _place, ownerId, closed, ...payment }) => {
      // An order that is called off before it is charged never has one.
      if (payment.id === null)
        return { ownerId, changes: [], position: null, more: false, ended: closed === true };
      const changes = [{ value: payment, at: payment.createdAt }];
      return { ownerId, changes, position: 1, more: false, ended: true };
    });
  };
