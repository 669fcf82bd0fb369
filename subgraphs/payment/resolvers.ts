import { authenticated, isStaff, maySee, type Principal } from '../../platform/auth/principal.js';
import { problem, unwrap } from '../../platform/errors.js';
import { connectionResolvers, readPage, toPage } from '../../platform/graphql/connection.js';
import { scalars } from '../../platform/graphql/scalars.js';
import { checkId, isId } from '../../platform/ids.js';
import { money } from '../../platform/money.js';
import type { Resolvers } from './generated/graphql.js';
import type { LedgerEntryRow, PaymentRow } from './rows.js';

export const resolvers: Resolvers = {
  DateTime: scalars.DateTime,
  Decimal: scalars.Decimal,
  CurrencyCode: scalars.CurrencyCode,
  Cursor: scalars.Cursor,

  Query: {
    me: (_, __, { principal }) => (principal ? { id: principal.userId } : null),
    async payment(_, { id }, context) {
      const principal = authenticated(context.principal);
      const payment = await context.loaders.payment.load(checkId(id, 'id'));
      if (payment && maySee(principal, payment.userId)) return payment;
      throw problem('NOT_FOUND', 'There is no such payment.');
    },
    async myAccount(_, __, { principal, loaders, commands }) {
      const { userId } = authenticated(principal);
      const account = await loaders.accountOfUser.load(userId);
      if (account) return account;
      // The news of the registration may still be on its way.
      await commands.openAccount(userId);
      return loaders.accountOfUser.clear(userId).load(userId);
    },
  },

  Mutation: {
    async topUp(_, { input }, context) {
      const principal = authenticated(context.principal);
      const userId = typeof input.userId === 'string' ? checkId(input.userId, 'userId') : principal.userId;
      if (!mayTopUp(principal, userId, context.demoData)) {
        throw problem('FORBIDDEN', 'Staff tops up accounts here.');
      }
      const { amount, idempotencyKey } = input;
      const accountId = unwrap(
        await context.commands.topUp({ by: principal.userId, userId, amount, idempotencyKey }),
      );
      const account = await context.loaders.account.load(accountId);
      if (!account) throw new Error(`account ${accountId} is gone`);
      return account;
    },
  },

  Subscription: {
    paymentCompleted: {
      subscribe(_, args, { principal, live }) {
        const watcher = authenticated(principal);
        const orderId = checkId(args.orderId, 'orderId');
        return live.watch({ id: orderId, after: null, mayWatch: (ownerId) => maySee(watcher, ownerId) });
      },
      resolve: (payment: PaymentRow) => payment,
    },
  },

  Payment: {
    async __resolveReference(reference, { principal, loaders }) {
      const viewer = authenticated(principal);
      const payment = isId(reference.id) ? await loaders.payment.load(reference.id) : null;
      return payment && maySee(viewer, payment.userId) ? payment : null;
    },
    order: ({ orderId, userId }) => ({ id: orderId, user: { id: userId } }),
    amount: ({ amountCents }) => money(amountCents),
  },

  Account: {
    async __resolveReference(reference, { principal, loaders }) {
      const viewer = authenticated(principal);
      const account = isId(reference.id) ? await loaders.account.load(reference.id) : null;
      return account && maySee(viewer, account.userId) ? account : null;
    },
    user: ({ userId }) => ({ id: userId }),
    balance: ({ balanceCents }) => money(balanceCents),
    async entries({ id }, args, { loaders }) {
      const page = readPage(`entries of ${id}`, args);
      return toPage(page, await loaders.entries(page).load(id), () => loaders.entryCount.load(id));
    },
  },

  LedgerEntry: {
    amount: ({ amountCents }) => money(amountCents),
    balanceAfter: ({ balanceAfterCents }) => money(balanceAfterCents),
    payment: ({ paymentId }, _, { loaders }) => (paymentId ? loaders.payment.load(paymentId) : null),
  },

  Order: {
    __resolveReference: ({ id }) => (isId(id) ? { id } : null),
    async payment({ id }, _, { principal, loaders }) {
      const viewer = authenticated(principal);
      const payment = await loaders.paymentOfOrder.load(id);
      return payment && maySee(viewer, payment.userId) ? payment : null;
    },
  },

  User: {
    __resolveReference: ({ id }) => (isId(id) ? { id } : null),
    async account({ id }, _, { principal, loaders }) {
      if (!maySee(authenticated(principal), id)) throw problem('NOT_FOUND', 'There is no such account.');
      return loaders.accountOfUser.load(id);
    },
  },

  LedgerEntryConnection: connectionResolvers<LedgerEntryRow>(),
};

const mayTopUp = (principal: Principal, userId: string, demoData: boolean): boolean =>
  isStaff(principal) || (demoData && userId === principal.userId);
