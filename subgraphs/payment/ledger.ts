import type { Query } from '../../platform/idempotency.js';

/** An account that is locked until the transaction ends, as it stands. */
export interface LockedAccount {
  id: string;
  userId: string;
  balanceCents: number;
  /** How many entries it has. */
  entries: number;
  /** Its user was deleted. */
  isClosed: boolean;
}

/** Money that comes to an account, or leaves it where the amount is negative. */
export interface Movement {
  account: LockedAccount;
  kind: 'TOP_UP' | 'CHARGE' | 'REFUND';
  amountCents: number;
  paymentId: string | null;
}

/** Locks the accounts of users, in the order of their ids: no two batches wait for each other. */
export async function lockAccounts(
  query: Query,
  userIds: readonly string[],
): Promise<Map<string, LockedAccount>> {
  const { rows } = await query<LockedAccount>(
    `select id, user_id as "userId", balance_cents::float8 as "balanceCents", entries,
       closed_at is not null as "isClosed" from accounts
     where user_id = any($1::uuid[]) order by id for update`,
    [userIds],
  );
  return new Map(rows.map((account) => [account.userId, account]));
}

/**
 * Books movements one after the other: an entry each of the customer's account and of the house's, and the balances
 * that they leave. Two statements, however many there are.
 * @throws where a balance would be less than nothing or more than an account can hold: `accounts_balance`
 */
export async function book(query: Query, movements: readonly Movement[]): Promise<void> {
  const left = new Map<string, { balance: number; entries: number }>();
  const entries = movements.map(({ account, ...movement }) => {
    const { balance, entries: count } = left.get(account.id) ?? {
      balance: account.balanceCents,
      entries: account.entries,
    };
    const after = { balance: balance + movement.amountCents, entries: count + 1 };
    left.set(account.id, after);
    return { ...movement, accountId: account.id, ...after };
  });
  const balances = [...left];
  await query(
    `update accounts a set balance_cents = n.balance_cents, entries = n.entries, updated_at = now()
     from unnest($1::uuid[], $2::bigint[], $3::int[]) as n (id, balance_cents, entries) where a.id = n.id`,
    [
      balances.map(([id]) => id),
      balances.map(([, { balance }]) => balance),
      balances.map(([, { entries: count }]) => count),
    ],
  );
  await query(
    `with entry as (
       insert into ledger_entries (account_id, kind, amount_cents, payment_id, balance_after_cents, sequence)
       select account_id, kind, amount_cents, payment_id, balance_cents, sequence
       from unnest($1::uuid[], $2::text[], $3::bigint[], $4::uuid[], $5::bigint[], $6::int[]) with ordinality
         as n (account_id, kind, amount_cents, payment_id, balance_cents, sequence, place) order by place
       returning id, kind, amount_cents
     )
     insert into house_entries (entry_id, account, amount_cents)
     select id, case kind when 'TOP_UP' then 'CASH' else 'SALES' end, -amount_cents from entry`,
    [
      entries.map(({ accountId }) => accountId),
      entries.map(({ kind }) => kind),
      entries.map(({ amountCents }) => amountCents),
      entries.map(({ paymentId }) => paymentId),
      entries.map(({ balance }) => balance),
      entries.map(({ entries: sequence }) => sequence),
    ],
  );
}
