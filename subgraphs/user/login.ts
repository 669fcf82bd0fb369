import type { Principal } from '../../platform/auth/principal.js';
import type { TokenSigner } from '../../platform/auth/tokens.js';
import { must, type Result, refusable, refuse } from '../../platform/errors.js';
import { readInput } from '../../platform/graphql/input.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { lengthOf } from '../../platform/text.js';
import { isEmail, normalizeEmail, refuseToken } from './domain.js';
import { longestPassword, passwordChange } from './inputs.js';
import { hashPassword, isCorrect, isOutdated } from './passwords.js';
import type { SessionRow, UserRow } from './rows.js';
import { endSessions, lockUser, openSession } from './sessions.js';
import { countWrong, type Subject, subjectsOf, throttled } from './throttle.js';

/** What is done with a password. `address` is the client's, where it is known. */
export interface LoginCommands {
  login(
    input: { email: unknown; password: unknown },
    address: string | undefined,
  ): Promise<Result<SessionRow>>;
  /** Sets another password, ends all sessions of the user and begins one. */
  changePassword(
    principal: Principal,
    input: { currentPassword: string; newPassword: string },
    address: string | undefined,
  ): Promise<Result<SessionRow>>;
}

/** Longer than any that an account can have. */
const isTooLong = (password: string): boolean => lengthOf(password) > longestPassword;

interface Credentials {
  id: string;
  email: string;
  passwordHash: string;
}

export function loginCommands(database: Database, signer: TokenSigner): LoginCommands {
  async function credentialsBy(column: 'id' | 'email', value: string): Promise<Credentials | undefined> {
    const { rows } = await database.query<Credentials>(
      `select id, email, password_hash as "passwordHash" from users where ${column} = $1 and deleted_at is null`,
      [value],
    );
    return rows[0];
  }

  /**
   * Checks a password between two looks at what was wrong of late: the hash takes long, and others may have tried in the
   * meantime. Then `work` has the user's row, locked, as it was checked. In `refusable`.
   */
  async function withPassword<T>(options: {
    found: Credentials | undefined;
    password: string;
    subjects: Subject[];
    wrong: () => never;
    work: (tx: Tx, user: UserRow) => Promise<T>;
  }): Promise<T> {
    const { found, password, subjects, wrong, work } = options;
    const before = await throttled(database, subjects);
    if (before) must(before);
    if (!(await isCorrect(found?.passwordHash ?? null, password)) || !found) {
      const refusal = await countWrong(database, subjects);
      return refusal ? must(refusal) : wrong();
    }
    return database.transaction(async (tx) => {
      const user = await lockUser(tx, found.id);
      const { rows } = await tx.query('select from users where id = $1 and password_hash = $2', [
        found.id,
        found.passwordHash,
      ]);
      if (!user || rows.length === 0) return wrong();
      const after = await throttled(tx, subjects);
      if (after) must(after);
      return work(tx, user);
    });
  }

  return {
    login({ email, password }, address) {
      const wrong = () =>
        must<never>(refuse('UNAUTHENTICATED', 'The email address or the password is wrong.'));
      return refusable(async () => {
        if (typeof email !== 'string' || typeof password !== 'string' || isTooLong(password)) return wrong();
        const normal = normalizeEmail(email);
        if (!isEmail(normal)) return wrong();
        const found = await credentialsBy('email', normal);
        return withPassword({
          found,
          password,
          subjects: subjectsOf(normal, found?.id, address),
          wrong,
          async work(tx, user) {
            if (isOutdated(found?.passwordHash ?? '')) await setPassword(tx, user.id, password);
            return openSession(tx, signer, user);
          },
        });
      });
    },

    changePassword(principal, input, address) {
      const wrong = () => must<never>(refuse('BAD_USER_INPUT', 'The password is wrong.', 'currentPassword'));
      return refusable(async () => {
        const { currentPassword, newPassword } = must(readInput(passwordChange, input));
        if (isTooLong(currentPassword)) return wrong();
        const found = await credentialsBy('id', principal.userId);
        if (!found) return must<never>(refuse('UNAUTHENTICATED', 'This account was deleted.'));
        return withPassword({
          found,
          password: currentPassword,
          subjects: subjectsOf(found.email, found.id, address),
          wrong,
          async work(tx, user) {
            const refusal = refuseToken(principal, user);
            if (refusal) must(refusal);
            await setPassword(tx, user.id, newPassword);
            await endSessions(tx, user.id);
            return openSession(tx, signer, user);
          },
        });
      });
    },
  };
}

/** The hash takes 20 ms or so, for which the row of this user is locked, and no other. */
const setPassword = async (tx: Tx, userId: string, password: string): Promise<unknown> =>
  tx.query('update users set password_hash = $2 where id = $1', [userId, await hashPassword(password)]);
