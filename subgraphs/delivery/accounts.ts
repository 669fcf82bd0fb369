import type { z } from 'zod';
import type { accountOf } from '../../events/account.js';
import type { Role } from '../../platform/auth/principal.js';
import { ok, type Result, refuse } from '../../platform/errors.js';
import type { Tx } from '../../platform/postgres/database.js';
import type { PeerClient } from '../../platform/subgraph/peers.js';

/** Asks the user service what somebody may do. */
export type AskUsers = Pick<
  PeerClient<z.input<typeof accountOf.input>, z.output<typeof accountOf.output>>,
  'ask'
>;

const noCourier = refuse('CONFLICT', 'This account is not one of a COURIER.', 'userId');

/**
 * Whether an account may act for a courier, as the user service has said. What has been heard since counts more; the
 * account's row stays locked, so that what is heard from now on finds the courier.
 */
export async function admit(
  tx: Tx,
  account: { userId: string; role: Role | null; rights: number },
): Promise<Result<void>> {
  const { userId, role, rights } = account;
  if (role === null) return refuse('NOT_FOUND', 'There is no such user.', 'userId');
  const { rows } = await tx.query<{ role: Role | null }>(
    `insert into known_users as k (user_id, role, rights) values ($1, $2, $3)
     on conflict (user_id) do update set rights = greatest(k.rights, excluded.rights),
       role = case when excluded.rights >= k.rights then excluded.role else k.role end
     returning role`,
    [userId, role, rights],
  );
  return rows[0]?.role === 'COURIER' ? ok(undefined) : noCourier;
}

/** Whether a courier whose row is locked may be on duty: one whose account is no COURIER's any more may not. */
export async function checkAccount(tx: Tx, courierId: string): Promise<Result<void>> {
  const { rows } = await tx.query(
    `select from couriers c join known_users k on k.user_id = c.user_id
     where c.id = $1 and k.role is distinct from 'COURIER'`,
    [courierId],
  );
  return rows.length === 0 ? ok(undefined) : noCourier;
}
