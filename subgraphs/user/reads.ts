import { rowLoader } from '../../platform/graphql/loader.js';
import type { Reader } from '../../platform/postgres/database.js';
import type { UserRow } from './rows.js';

const columns = `id, email, first_name as "firstName", last_name as "lastName", role,
  created_at as "createdAt", updated_at as "updatedAt"`;

/** Made once: a statement is found by its text, and each new text has to be read for that. */
const users = `select ${columns} from users where id = any($1::uuid[])`;

/** The loaders of one request. */
export const createLoaders = (reader: Reader) => ({
  user: rowLoader(
    (ids) => reader.read<UserRow>(users, [ids]),
    ({ id }) => id,
  ),
});

export type Loaders = ReturnType<typeof createLoaders>;
