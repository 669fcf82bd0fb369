import { orderUpdated } from '../../events/order.js';
import { createLiveSource, type LiveSource } from '../../platform/live/source.js';
import type { Database } from '../../platform/postgres/database.js';
import { prismaOptions } from '../../platform/postgres/prisma.js';
import { defineSubgraph } from '../../platform/subgraph/define.js';
import { type OrderCommands, orderCommands } from './commands.js';
import { consumers } from './consumers.js';
import type { Context } from './context.js';
import { seedProducts } from './demo.js';
import { PrismaClient } from './generated/prisma/client.js';
import { readOrderChanges } from './live-reads.js';
import { createLoaders } from './reads.js';
import { resolvers } from './resolvers.js';
import type { OrderChangeRow } from './rows.js';

interface App {
  database: Database;
  prisma: PrismaClient;
  commands: OrderCommands;
  live: LiveSource<OrderChangeRow>;
  demoData: boolean;
}

/** The catalogue, and orders from PENDING to their end. */
export const orderSubgraph = defineSubgraph<App, Context>({
  name: 'order',
  resolvers,
  open({ config, log, database, bus }) {
    const prisma = new PrismaClient(prismaOptions(database));
    const live = createLiveSource<OrderChangeRow>({
      name: 'order',
      log,
      unknownMs: 0,
      start: 0,
      read: readOrderChanges(database),
    });
    bus.listen(orderUpdated, ({ data }) => live.ring(data.orderId), live.ringAll);
    return { database, prisma, live, commands: orderCommands(database, prisma), demoData: config.DEMO_DATA };
  },
  context: ({ database, commands, live }, principal) => ({
    principal,
    reader: database,
    commands,
    live,
    loaders: createLoaders(database),
  }),
  consumers: ({ database }) => consumers(database),
  async run({ commands, demoData }) {
    if (demoData) await seedProducts(commands);
    return [];
  },
  async close({ live, prisma }) {
    await live.stop();
    await prisma.$disconnect();
  },
});
