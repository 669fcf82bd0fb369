import { createHash, randomBytes } from 'node:crypto';
import type { Principal } from '../../platform/auth/principal.js';
import type { TokenSigner } from '../../platform/auth/tokens.js';
import { must, ok, type Result, refusable, refuse } from '../../platform/errors.js';
import type { Log } from '../../platform/log.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { refuseToken } from './domain.js';
import { type SessionRow, type UserRow, userColumns } from './rows.js';

/**
 * A session is what follows from one login: a family of refresh tokens, each used up by the next, the last of which is
 * unused. Whatever begins, continues or ends sessions holds the lock of its user's row: so no token is added to a family
 * that is being ended.
 */
export interface SessionCommands {
  /** A new session for a refresh token; ends the family of one that has been used before. */
  refresh(refreshToken: string): Promise<Result<SessionRow>>;
  /** Ends the family of a refresh token, if there is one. */
  logout(refreshToken: string): Promise<void>;
  /** Ends all sessions of whoever asks. */
  logoutEverywhere(principal: Principal): Promise<Result<void>>;
  /** Deletes the refresh tokens that have ended; answers how many. */
  forgetExpiredTokens(): Promise<number>;
}

const refreshTokenDays = 30;
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Begins a session of a user whose row is locked, or continues that of a family. */
export async function openSession(
  tx: Tx,
  signer: TokenSigner,
  user: UserRow,
  familyId: string | null = null,
): Promise<SessionRow> {
  const { accessToken, expiresAt } = await signer.sign(user);
  const refreshToken = randomBytes(32).toString('base64url');
  await tx.query(
    `insert into refresh_tokens (token_hash, user_id, family_id, expires_at)
     values ($1, $2, coalesce($3::uuid, uuidv7()), now() + $4 * interval '1 day')`,
    [hashOf(refreshToken), user.id, familyId, refreshTokenDays],
  );
  return { accessToken, refreshToken, expiresAt, user: { ...user, self: true } };
}

/** Locks a user; undefined where there is none. */
export async function lockUser(tx: Tx, userId: string): Promise<UserRow | undefined> {
  const { rows } = await tx.query<UserRow>(`select ${userColumns} from users where id = $1 for update`, [
    userId,
  ]);
  return rows[0];
}

/** Ends all sessions of a user whose row is locked. */
export const endSessions = (tx: Tx, userId: string): Promise<unknown> =>
  tx.query('delete from refresh_tokens where user_id = $1', [userId]);

async function lockUserOf(tx: Tx, tokenHash: string): Promise<UserRow | undefined> {
  const { rows } = await tx.query<UserRow>(
    `select ${userColumns} from users
     where id = (select user_id from refresh_tokens where token_hash = $1) for update`,
    [tokenHash],
  );
  return rows[0];
}

export function sessionCommands(database: Database, signer: TokenSigner, log: Log): SessionCommands {
  const over = refuse('UNAUTHENTICATED', 'This session has ended; log in again.');
  return {
    refresh: (refreshToken) =>
      database.transaction(async (tx): Promise<Result<SessionRow>> => {
        const tokenHash = hashOf(refreshToken);
        const user = await lockUserOf(tx, tokenHash);
        if (!user) return over;
        const { rows } = await tx.query<{ familyId: string }>(
          `update refresh_tokens set used_at = now() where token_hash = $1 and used_at is null and expires_at > now()
           returning family_id as "familyId"`,
          [tokenHash],
        );
        if (rows[0]) return ok(await openSession(tx, signer, user, rows[0].familyId));
        // Two have it: which of them has stolen it nobody knows.
        const { rowCount } = await tx.query(
          `delete from refresh_tokens where family_id = (
             select family_id from refresh_tokens where token_hash = $1 and used_at is not null)`,
          [tokenHash],
        );
        if (rowCount > 0) log.warn({ userId: user.id }, 'a refresh token came twice: its session has ended');
        return over;
      }),

    logout: (refreshToken) =>
      database.transaction(async (tx) => {
        const tokenHash = hashOf(refreshToken);
        if (!(await lockUserOf(tx, tokenHash))) return;
        await tx.query(
          'delete from refresh_tokens where family_id = (select family_id from refresh_tokens where token_hash = $1)',
          [tokenHash],
        );
      }),

    logoutEverywhere: (principal) =>
      refusable(() =>
        database.transaction(async (tx) => {
          const refusal = refuseToken(principal, await lockUser(tx, principal.userId));
          if (refusal) must(refusal);
          await endSessions(tx, principal.userId);
        }),
      ),

    async forgetExpiredTokens() {
      const { rowCount } = await database.query('delete from refresh_tokens where expires_at < now()');
      return rowCount;
    },
  };
}
