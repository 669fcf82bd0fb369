import { userDeleted, userRegistered, userUpdated } from '../../events/user.js';
import type { Principal, Role } from '../../platform/auth/principal.js';
import type { TokenSigner } from '../../platform/auth/tokens.js';
import { toMessage } from '../../platform/bus/event.js';
import { must, type Refusal, type Result, refusable, refuse } from '../../platform/errors.js';
import { readInput } from '../../platform/graphql/input.js';
import { insertOutbox } from '../../platform/outbox.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { violatedConstraint } from '../../platform/postgres/errors.js';
import { refuseDeletion, refuseRole, refuseToken, refuseUpdate } from './domain.js';
import { profileUpdate, type Registration, registration } from './inputs.js';
import { hashPassword } from './passwords.js';
import { type SessionRow, type UserRow, userColumns } from './rows.js';
import { endSessions, openSession } from './sessions.js';

/** What is done about accounts. Who asks is looked up anew: a token may be older than what it says. */
export interface AccountCommands {
  register(input: { [K in keyof Registration]: unknown }): Promise<Result<SessionRow>>;
  /** Changes an account; what is null or left out stays. */
  update(principal: Principal, userId: string, input: object): Promise<Result<UserRow>>;
  /** Erases what is personal, and ends all sessions; a second time it changes nothing. */
  delete(principal: Principal, userId: string): Promise<Result<UserRow>>;
  setRole(principal: Principal, userId: string, role: Role): Promise<Result<UserRow>>;
  /** Makes the accounts that are not there yet, with these ids and roles; answers how many it made. */
  ensureUsers(users: (Registration & { id: string; role: Role })[]): Promise<number>;
}

export const accountCommands = (database: Database, signer: TokenSigner): AccountCommands => ({
  register: (input) =>
    refusable(async () => {
      const { password, ...fields } = must(readInput(registration, input));
      const passwordHash = await hashPassword(password);
      return database.transaction(async (tx) => {
        const user = await addUser(tx, { ...fields, passwordHash, role: 'CUSTOMER' });
        return openSession(tx, signer, user ?? must(isTaken));
      });
    }),

  update: (principal, userId, input) =>
    unlessTaken(() =>
      refusable(async () => {
        const profile = must(readInput(profileUpdate, input));
        return database.transaction(async (tx) => {
          const { by, account } = await lockAccounts(tx, principal, userId);
          checked(refuseUpdate(by, account));
          const { rows } = await tx.query<UserRow>(
            `update users set email = coalesce($2, email), first_name = coalesce($3, first_name),
               last_name = coalesce($4, last_name), version = version + 1, updated_at = now()
             where id = $1 and (email, first_name, last_name) is distinct from
               (coalesce($2, email), coalesce($3, first_name), coalesce($4, last_name))
             returning ${userColumns}`,
            [userId, profile.email, profile.firstName, profile.lastName],
          );
          const [user] = rows;
          if (user) await tellUpdated(tx, user);
          return user ?? (account as UserRow);
        });
      }),
    ),

  delete: (principal, userId) =>
    refusable(() =>
      database.transaction(async (tx) => {
        const { by, account, admins } = await lockAccounts(tx, principal, userId, { again: userId });
        checked(refuseDeletion(by, account, admins));
        if (account?.deletedAt) return account;
        const { rows } = await tx.query<UserRow>(
          `update users set email = null, password_hash = null, first_name = null, last_name = null, deleted_at = now(),
             version = version + 1, rights = rights + 1, rights_at = now(), updated_at = now()
           where id = $1 returning ${userColumns}`,
          [userId],
        );
        await endSessions(tx, userId);
        const user = rows[0] as UserRow;
        await insertOutbox(tx, [toMessage('user', userDeleted, { userId, rights: user.rights }, new Date())]);
        return user;
      }),
    ),

  setRole: (principal, userId, role) =>
    refusable(() =>
      database.transaction(async (tx) => {
        const { by, account, admins } = await lockAccounts(tx, principal, userId);
        checked(refuseRole(by, account, role, admins));
        if (account?.role === role) return account;
        return changeRole(tx, userId, role);
      }),
    ),

  async ensureUsers(users) {
    const { rows: known } = await database.query<{ id: string }>(
      'select id from users where id = any($1::uuid[])',
      [users.map(({ id }) => id)],
    );
    const missing = users.filter(({ id }) => !known.some((user) => user.id === id));
    const hashed = await Promise.all(
      missing.map(async ({ password, ...fields }) => ({
        ...fields,
        passwordHash: await hashPassword(password),
      })),
    );
    if (hashed.length > 0)
      await database.transaction(async (tx) => {
        for (const fields of hashed) await addUser(tx, fields);
      });
    return missing.length;
  },
});

/** A new account, and its event; undefined where the id or the email address is taken. */
export async function addUser(
  tx: Tx,
  user: Omit<Registration, 'password'> & { id?: string; role: Role; passwordHash: string },
): Promise<UserRow | undefined> {
  const { id = null, email, firstName, lastName, role, passwordHash } = user;
  const { rows } = await tx.query<UserRow>(
    `insert into users (id, email, first_name, last_name, role, password_hash)
     values (coalesce($1::uuid, uuidv7()), $2, $3, $4, $5, $6) on conflict do nothing
     returning ${userColumns}`,
    [id, email, firstName, lastName, role, passwordHash],
  );
  const [added] = rows;
  if (added)
    await insertOutbox(tx, [
      toMessage(
        'user',
        userRegistered,
        { userId: added.id, role: added.role, version: added.version, rights: added.rights },
        new Date(),
      ),
    ]);
  return added;
}

/** Gives a user whose row is locked another role. */
export async function changeRole(tx: Tx, userId: string, role: Role): Promise<UserRow> {
  const { rows } = await tx.query<UserRow>(
    `update users set role = $2, version = version + 1, rights = rights + 1, rights_at = now(), updated_at = now()
     where id = $1 returning ${userColumns}`,
    [userId, role],
  );
  const user = rows[0] as UserRow;
  await tellUpdated(tx, user);
  return user;
}

const tellUpdated = (tx: Tx, { id: userId, role, version, rights }: UserRow): Promise<void> =>
  insertOutbox(tx, [toMessage('user', userUpdated, { userId, role, version, rights }, new Date())]);

interface Locked {
  /** Whoever asks, as they are now. */
  by: UserRow;
  account: UserRow | undefined;
  /** How many ADMINs there are. */
  admins: number;
}

/**
 * Locks whoever asks, an account, and all ADMINs, in the order of their ids: of two ADMINs who take each other's role
 * away, the second finds that there is no other. In `refusable`. Who was deleted may ask nothing, but for that `again`.
 */
async function lockAccounts(
  tx: Tx,
  principal: Principal,
  userId: string,
  { again }: { again?: string } = {},
): Promise<Locked> {
  const { rows } = await tx.query<UserRow>(
    `select ${userColumns} from users
     where id = any($1::uuid[]) or (role = 'ADMIN' and deleted_at is null) order by id for update`,
    [[principal.userId, userId]],
  );
  const by = rows.find(({ id }) => id === principal.userId);
  const account = rows.find(({ id }) => id === userId);
  const isAgain = by?.deletedAt && by.id === again;
  if (!isAgain) checked(refuseToken(principal, by));
  const admins = rows.filter(({ role, deletedAt }) => role === 'ADMIN' && !deletedAt).length;
  return { by: by as UserRow, account, admins };
}

/** In `refusable`. */
function checked(refusal: Refusal | undefined): void {
  if (refusal) must(refusal);
}

const isTaken = refuse('CONFLICT', 'This email address has an account already.', 'email');

/** Refuses an email address that somebody has. */
async function unlessTaken<T>(work: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await work();
  } catch (error) {
    if (violatedConstraint(error) === 'users_email_key') return isTaken;
    throw error;
  }
}
