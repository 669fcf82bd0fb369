import type { Role } from '../../platform/auth/principal.js';
import type { RightsChange } from '../../platform/auth/rights.js';
import { createRowCache, type RowCache } from '../../platform/cache/rows.js';
import type { CacheStore } from '../../platform/cache/store.js';
import type { PageRequest } from '../../platform/graphql/connection.js';
import { rowLoader } from '../../platform/graphql/loader.js';
import type { Database, Reader } from '../../platform/postgres/database.js';
import { type UserRow, userColumns } from './rows.js';

/** Made once: a statement is found by its text, and each new text has to be read for that. */
const users = `select ${userColumns} from users where id = any($1::uuid[])`;

/** What a list of users is narrowed to, and the values of that. One statement for each shape: each has a plan of its own. */
function where(search: string | null, values: unknown[]): string {
  const matches = search === null ? '' : `and search like lower($${values.push(search)})`;
  return `deleted_at is null ${matches}`;
}

/** A page of users, newest first, with one row more than asked for. */
export function readUsers(reader: Reader, search: string | null, page: PageRequest): Promise<UserRow[]> {
  const values: unknown[] = [];
  const conditions = where(search, values);
  const past = page.after === null ? '' : `and id < $${values.push(page.after)}`;
  return reader.read<UserRow>(
    `select ${userColumns} from users where ${conditions} ${past} order by id desc limit $${values.push(page.first + 1)}`,
    values,
  );
}

export async function countUsers(reader: Reader, search: string | null): Promise<number> {
  const values: unknown[] = [];
  const [row] = await reader.read<{ count: number }>(
    `select count(*) from users where ${where(search, values)}`,
    values,
  );
  return row?.count ?? 0;
}

/** Whose rights have changed since a moment. */
export async function readRights(database: Database, since: Date): Promise<(RightsChange & { at: Date })[]> {
  const { rows } = await database.query<RightsChange & { at: Date }>(
    'select id as "userId", rights, rights_at as at from users where rights > 1 and rights_at > $1',
    [since],
  );
  return rows;
}

/** What somebody may do; the role is null where there is no account. */
export async function readStanding(
  database: Database,
  userId: string,
): Promise<{ role: Role | null; rights: number }> {
  const { rows } = await database.query<{ role: Role | null; rights: number }>(
    'select case when deleted_at is null then role end as role, rights from users where id = $1',
    [userId],
  );
  return rows[0] ?? { role: null, rights: 1 };
}

/** Users that have been read, by their ids. */
export const createUsers = (reader: Reader, store: CacheStore): RowCache<UserRow> =>
  createRowCache({
    name: 'users',
    store,
    read: (ids) => reader.read<UserRow>(users, [ids]),
    columns: {
      ...{ id: true, email: true, firstName: true, lastName: true, role: true, version: true, rights: true },
      ...{ createdAt: true, updatedAt: true, deletedAt: true },
    },
    revive: ({ createdAt, updatedAt, deletedAt, ...row }) => ({
      ...row,
      createdAt: new Date(createdAt),
      updatedAt: new Date(updatedAt),
      deletedAt: deletedAt && new Date(deletedAt),
    }),
  });

/** The loaders of one request. */
export const createLoaders = (known: RowCache<UserRow>) => ({
  user: rowLoader(known.read, ({ id }) => id),
});

export type Loaders = ReturnType<typeof createLoaders>;
