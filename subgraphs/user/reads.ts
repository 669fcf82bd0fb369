import { rowLoader } from '../../platform/graphql/loader.js';
import type { Reader } from '../../platform/postgres/database.js';
import type { UserRow } from './rows.js';

const columns = `id, email, first_name as "firstName", last_name as "lastName", role,
  created_at as "createdAt", updated_at as "updatedAt"`;

/** The loaders of one request. */
export const createLoaders = (reader: Reader) => ({
  user: rowLoader(
    (ids) => reader.read<UserRow>(`select ${columns} from users where id = any($1::uuid[])`, [ids]),
    ({ id }) => id,
  ),
});

export type Loaders = ReturnType<typeof createLoaders>;
