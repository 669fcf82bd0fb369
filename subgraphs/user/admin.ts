import { must, type Result, refusable, refuse } from '../../platform/errors.js';
import { readInput } from '../../platform/graphql/input.js';
import type { Database } from '../../platform/postgres/database.js';
import { addUser, changeRole } from './accounts.js';
import { normalizeEmail } from './domain.js';
import { registration } from './inputs.js';
import { hashPassword } from './passwords.js';
import { type UserRow, userColumns } from './rows.js';

/** Who is to be an ADMIN. */
export interface NewAdmin {
  email: string;
  firstName: string;
  lastName: string;
  password: string;
  /** Whether an account that is there may become one: then the rest is of no account. */
  promotes: boolean;
}

/** Makes an ADMIN, or of an account one; answers which. What is one already stays as it is. */
export async function makeAdmin(database: Database, admin: NewAdmin): Promise<Result<'made' | 'promoted'>> {
  const { promotes, ...given } = admin;
  return refusable(() =>
    database.transaction(async (tx) => {
      const { rows } = await tx.query<UserRow>(
        `select ${userColumns} from users where email = $1 for update`,
        [normalizeEmail(given.email)],
      );
      const [known] = rows;
      if (promotes) {
        if (!known) return must<never>(refuse('NOT_FOUND', 'This email address has no account.', 'email'));
        if (known.role !== 'ADMIN') await changeRole(tx, known.id, 'ADMIN');
        return 'promoted';
      }
      const { password, ...fields } = must(readInput(registration, given));
      const passwordHash = await hashPassword(password);
      const added = known ? undefined : await addUser(tx, { ...fields, passwordHash, role: 'ADMIN' });
      return added ? 'made' : must<never>(refuse('CONFLICT', taken, 'email'));
    }),
  );
}

const taken = 'This email address has an account already; --promote makes an ADMIN of it.';
