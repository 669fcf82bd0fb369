import { paymentCompleted } from '../../events/payment.js';
import { userDeleted, userUpdated } from '../../events/user.js';
import { readRights } from '../../platform/auth/known-users.js';
import { createLiveSource, type LiveSource } from '../../platform/live/source.js';
import type { Database } from '../../platform/postgres/database.js';
import { prismaOptions } from '../../platform/postgres/prisma.js';
import { defineSubgraph } from '../../platform/subgraph/define.js';
import { type PaymentCommands, paymentCommands } from './commands.js';
import { consumers } from './consumers.js';
import type { Context } from './context.js';
import { seedAccount } from './demo.js';
import { PrismaClient } from './generated/prisma/client.js';
import { createLoaders, readPayments } from './reads.js';
import { resolvers } from './resolvers.js';
import type { PaymentRow } from './rows.js';

interface App {
  database: Database;
  prisma: PrismaClient;
  commands: PaymentCommands;
  live: LiveSource<PaymentRow>;
  demoData: boolean;
}

/** Accounts, their ledger, and the charge of each order. */
export const paymentSubgraph = defineSubgraph<App, Context>({
  name: 'payment',
  resolvers,
  open({ config, log, database, bus }) {
    const prisma = new PrismaClient(prismaOptions(database));
    const live = createLiveSource<PaymentRow>({
      name: 'order',
      log,
      unknownMs: 10_000,
      start: 0,
      read: readPayments(database),
    });
    bus.listen(paymentCompleted, ({ data }) => live.ring(data.orderId), live.ringAll);
    return { database, prisma, live, commands: paymentCommands(prisma), demoData: config.DEMO_DATA };
  },
  context: ({ database, commands, live, demoData }, principal) => ({
    principal,
    commands,
    live,
    demoData,
    loaders: createLoaders(database),
  }),
  // An order that is called off may have no payment to hear of; another replica's watchers learn it from their next look.
  consumers: ({ database, live }) => consumers(database, (orderId) => live.ring(orderId)),
  rights: { contracts: [userUpdated, userDeleted], read: readRights },
  async run({ prisma, commands, demoData }) {
    if (demoData) await seedAccount(prisma, commands);
    return [];
  },
  async close({ live, prisma }) {
    await live.stop();
    await prisma.$disconnect();
  },
});
