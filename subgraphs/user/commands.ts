import { createHash, randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { userRegistered } from '../../events/user.js';
import type { Role } from '../../platform/auth/principal.js';
import type { TokenSigner } from '../../platform/auth/tokens.js';
import { toMessage } from '../../platform/bus/event.js';
import { ok, type Result, refuse } from '../../platform/errors.js';
import { outboxRows } from '../../platform/outbox.js';
import { violatedConstraint } from '../../platform/postgres/errors.js';
import { decideRegistration, isEmail, normalizeEmail, type Registration } from './domain.js';
import type { Prisma, PrismaClient } from './generated/prisma/client.js';
import type { SessionRow, UserRow } from './rows.js';

export interface UserCommands {
  register(input: { [K in keyof Registration]: unknown }): Promise<Result<SessionRow>>;
  login(input: { email: unknown; password: unknown }): Promise<Result<SessionRow>>;
  /** Deletes the refresh tokens that have ended; answers how many. */
  forgetExpiredTokens(): Promise<number>;
  /** Makes the accounts that are not there yet, with these ids and roles; answers how many it made. */
  ensureUsers(users: (Registration & { id: string; role: Role })[]): Promise<number>;
}

const refreshTokenDays = 30;

/** Of a password that nobody has: checked where there is no account, so that both answers take as long. */
const nobodysHash = hash(randomBytes(16).toString('hex'));

export function userCommands(prisma: PrismaClient, signer: TokenSigner): UserCommands {
  async function openSession(tx: Prisma.TransactionClient, user: UserRow): Promise<SessionRow> {
    const { accessToken, expiresAt } = await signer.sign(user);
    const refreshToken = randomBytes(32).toString('base64url');
    await tx.refreshToken.create({
      data: {
        tokenHash: createHash('sha256').update(refreshToken).digest('hex'),
        userId: user.id,
        expiresAt: new Date(Date.now() + refreshTokenDays * 86_400_000),
      },
    });
    return { accessToken, refreshToken, expiresAt, user: { ...user, self: true } };
  }

  return {
    async register(input) {
      const decided = decideRegistration(input);
      if (!decided.ok) return decided;
      const { password, ...fields } = decided.value;
      const passwordHash = await hash(password);
      try {
        return await prisma.$transaction(async (tx) => {
          const created = await tx.user.create({
            data: { ...fields, passwordHash },
            omit: { passwordHash: true },
          });
          await announce(tx, [created.id]);
          return ok(await openSession(tx, created as UserRow));
        });
      } catch (error) {
        if (violatedConstraint(error) === 'users_email_key') {
          return refuse('CONFLICT', 'This email address has an account already.', 'email');
        }
        throw error;
      }
    },

    async login({ email, password }) {
      const wrong = refuse('UNAUTHENTICATED', 'The email address or the password is wrong.');
      if (typeof email !== 'string' || typeof password !== 'string' || password.length > 128) return wrong;
      const address = normalizeEmail(email);
      const found = isEmail(address) ? await prisma.user.findUnique({ where: { email: address } }) : null;
      const correct = await verify(found?.passwordHash ?? (await nobodysHash), password);
      if (!found || !correct) return wrong;
      const { passwordHash: _, ...user } = found;
      return ok(await openSession(prisma, user as UserRow));
    },

    async forgetExpiredTokens() {
      const { count } = await prisma.refreshToken.deleteMany({ where: { expiresAt: { lt: new Date() } } });
      return count;
    },

    async ensureUsers(users) {
      const known = await prisma.user.findMany({
        where: { id: { in: users.map(({ id }) => id) } },
        select: { id: true },
      });
      const missing = users.filter(({ id }) => !known.some((user) => user.id === id));
      if (missing.length === 0) return 0;
      const rows = await Promise.all(
        missing.map(async ({ password, ...fields }) => ({ ...fields, passwordHash: await hash(password) })),
      );
      await prisma.$transaction(async (tx) => {
        const made = await tx.user.createManyAndReturn({
          data: rows,
          skipDuplicates: true,
          select: { id: true },
        });
        await announce(
          tx,
          made.map(({ id }) => id),
        );
      });
      return missing.length;
    },
  };
}

async function announce(tx: Prisma.TransactionClient, userIds: string[]): Promise<void> {
  const at = new Date();
  const messages = userIds.map((userId) => toMessage('user', userRegistered, { userId }, at));
  await tx.outbox.createMany({ data: outboxRows(messages) });
}
