import { must, type Result, refusable, refuse } from '../../platform/errors.js';
import { claim, settle } from '../../platform/idempotency.js';
import { violatedConstraint } from '../../platform/postgres/errors.js';
import { queryIn } from '../../platform/postgres/prisma.js';
import { readTopUp } from './domain.js';
import type { PrismaClient } from './generated/prisma/client.js';
import { book, lockAccounts } from './ledger.js';

export interface TopUp {
  /** Who asks, and whose account it is for. */
  by: string;
  userId: string;
  amount: unknown;
  idempotencyKey: string;
}

export interface PaymentCommands {
  /** Opens a user's account unless it is open. */
  openAccount(userId: string): Promise<void>;
  /** Adds money and writes it to the ledger; answers the account's id, as does a repetition of the key, which adds nothing. */
  topUp(request: TopUp): Promise<Result<string>>;
}

export const paymentCommands = (prisma: PrismaClient): PaymentCommands => ({
  async openAccount(userId) {
    await prisma.account.createMany({ data: [{ userId }], skipDuplicates: true });
  },

  async topUp({ by, userId, amount, idempotencyKey }) {
    const request = { userId: by, mutation: 'topUp', key: idempotencyKey, input: { userId, amount } };
    try {
      return await refusable(() =>
        prisma.$transaction(async (tx) => {
          const first = must(await claim(queryIn(tx), request));
          if (first) return first;
          const amountCents = must(readTopUp(amount));
          if (by === userId) await tx.account.createMany({ data: [{ userId }], skipDuplicates: true });
          const account = (await lockAccounts(queryIn(tx), [userId])).get(userId);
          if (!account) return must(refuse('NOT_FOUND', 'There is no account of this user.', 'userId'));
          if (account.isClosed)
            return must(refuse('CONFLICT', 'This account is closed: its user was deleted.', 'userId'));
          await book(queryIn(tx), [{ account, kind: 'TOP_UP', amountCents, paymentId: null }]);
          await settle(queryIn(tx), request, account.id);
          return account.id;
        }),
      );
    } catch (error) {
      if (violatedConstraint(error) !== 'accounts_balance') throw error;
      return refuse('BAD_USER_INPUT', 'The balance would be larger than an account can hold.', 'amount');
    }
  },
});
