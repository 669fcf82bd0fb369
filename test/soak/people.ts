import { randomUUID } from 'node:crypto';
import type { House } from './house.js';

export interface Person {
  userId: string;
  token: string;
}

/**
 * Customers who can pay so many orders of this price each, written into the databases: to register takes a tenth of a
 * second of a processor each.
 */
export async function seedCustomers(
  house: House,
  affordable: readonly number[],
  priceCents: number,
): Promise<Person[]> {
  const ids = affordable.map(() => randomUUID());
  const balances = affordable.map((orders) => orders * priceCents);
  await house.sql(
    'user',
    `insert into users (id, email, password_hash, first_name, last_name)
     select id, id || '@example.org', 'none', 'Rosa', 'Random' from unnest($1::uuid[]) as n (id)`,
    [ids],
  );
  await house.sql(
    'payment',
    `with opened as (
       insert into accounts (user_id, balance_cents, entries)
       select id, balance, (balance > 0)::int from unnest($1::uuid[], $2::bigint[]) as n (id, balance)
       returning id, balance_cents
     ), entry as (
       insert into ledger_entries (account_id, sequence, kind, amount_cents, balance_after_cents)
       select id, 1, 'TOP_UP', balance_cents, balance_cents from opened where balance_cents > 0
       returning id, amount_cents
     )
     insert into house_entries (entry_id, account, amount_cents) select id, 'CASH', -amount_cents from entry`,
    [ids, balances],
  );
  return Promise.all(
    ids.map(async (userId) => ({ userId, token: await tokenOf(house, userId, 'CUSTOMER') })),
  );
}

/** Members of staff, who need no account. */
export const hireStaff = (house: House, count: number): Promise<Person[]> =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const userId = randomUUID();
      return { userId, token: await tokenOf(house, userId, 'DISPATCHER') };
    }),
  );

/** So many orders can be on their way at once, beside those that the demo couriers bring. */
export const hireCouriers = (house: House, count: number): Promise<unknown> =>
  house.sql(
    'delivery',
    `insert into couriers (name) select 'Courier ' || n from generate_series(1, $1::int) n`,
    [count],
  );

const tokenOf = async (house: House, id: string, role: 'CUSTOMER' | 'DISPATCHER'): Promise<string> =>
  (await house.sign({ id, role })).accessToken;
