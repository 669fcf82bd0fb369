import type { Database, Tx } from '../postgres/database.js';
import type { Role } from './principal.js';
import type { RightsChange } from './rights.js';

/** What events tell of a user; the role is null where the account was deleted. */
export interface UserNews extends RightsChange {
  role: Role | null;
}

/**
 * Remembers, in a service's `known_users`, what users may do, where that has changed since they registered; answers what
 * is news. The rows stay locked, in the order of their ids. One statement.
 */
export async function rememberUsers(tx: Tx, news: readonly UserNews[]): Promise<UserNews[]> {
  const changed = news.filter(({ rights }) => rights > 1).sort((one, other) => one.rights - other.rights);
  const latest = [...new Map(changed.map((one) => [one.userId, one])).values()];
  if (latest.length === 0) return [];
  const { rows } = await tx.query<UserNews>(
    `insert into known_users as k (user_id, role, rights)
     select * from unnest($1::uuid[], $2::text[], $3::int[]) as n (user_id, role, rights) order by user_id
     on conflict (user_id) do update set role = excluded.role, rights = excluded.rights, rights_at = now()
       where excluded.rights > k.rights
     returning user_id as "userId", role, rights`,
    [latest.map(({ userId }) => userId), latest.map(({ role }) => role), latest.map(({ rights }) => rights)],
  );
  return rows;
}

/** Whose rights have changed since a moment. */
export async function readRights(database: Database, since: Date): Promise<(RightsChange & { at: Date })[]> {
  const { rows } = await database.query<RightsChange & { at: Date }>(
    'select user_id as "userId", rights, rights_at as at from known_users where rights_at > $1',
    [since],
  );
  return rows;
}
