import type { z } from 'zod';
import { cancellation } from '../../events/cancellation.js';
import { orderUpdated } from '../../events/order.js';
import { userDeleted, userUpdated } from '../../events/user.js';
import { readRights } from '../../platform/auth/known-users.js';
import { type Bell, createBell } from '../../platform/bell.js';
import type { RowCache } from '../../platform/cache/rows.js';
import { createLiveSource, type LiveSource } from '../../platform/live/source.js';
import type { Log } from '../../platform/log.js';
import type { Database } from '../../platform/postgres/database.js';
import { prismaOptions } from '../../platform/postgres/prisma.js';
import { defineSubgraph } from '../../platform/subgraph/define.js';
import { askPeer, type PeerClient } from '../../platform/subgraph/peers.js';
import { repeat } from '../../platform/worker.js';
import { type OrderCommands, orderCommands } from './commands.js';
import { consumers } from './consumers.js';
import type { Context } from './context.js';
import { seedProducts } from './demo.js';
import { PrismaClient } from './generated/prisma/client.js';
import { type FeedPosition, readFeeds, readOrderChanges } from './live-reads.js';
import { type ProductCommands, productCommands } from './products.js';
import { createLoaders, createProducts, createReads } from './reads.js';
import { resolvers } from './resolvers.js';
import type { OrderChangeRow, ProductRow } from './rows.js';
import { eraseOrders } from './users.js';

/** How often orders of deleted users are looked for that could not be called off at once. */
const erasePollMs = 5_000;

interface App {
  log: Log;
  database: Database;
  reads: ReturnType<typeof createReads>;
  catalogue: RowCache<ProductRow>;
  products: ProductCommands;
  prisma: PrismaClient;
  commands: OrderCommands;
  /** The changes of an order, by its id. */
  live: LiveSource<OrderChangeRow>;
  /** The changes of all orders of a user, by the user's id. */
  feeds: LiveSource<OrderChangeRow, FeedPosition>;
  delivery: PeerClient<z.input<typeof cancellation.input>, z.output<typeof cancellation.output>>;
  /** Rings when users were deleted. */
  gone: Bell;
  demoData: boolean;
}

/** The catalogue, and orders from PENDING to their end. */
export const orderSubgraph = defineSubgraph<App, Context>({
  name: 'order',
  resolvers,
  open({ config, log, database, bus, peers, caches }) {
    const prisma = new PrismaClient(prismaOptions(database));
    const live = createLiveSource<OrderChangeRow>({
      name: 'order',
      log,
      unknownMs: 0,
      start: 0,
      read: readOrderChanges(database),
    });
    const feeds = createLiveSource<OrderChangeRow, FeedPosition>({
      name: 'feed',
      log,
      unknownMs: 0,
      start: { at: 0, until: null },
      read: readFeeds(database),
    });
    bus.listen(
      orderUpdated,
      ({ data }) => {
        live.ring(data.orderId);
        feeds.ring(data.userId);
      },
      () => {
        live.ringAll();
        feeds.ringAll();
      },
    );
    const delivery = askPeer(cancellation, { peers, log });
    const catalogue = createProducts(database, caches.store('products'));
    /** Where it cannot be forgotten now, the event sees to it; this process does not use what is stale. */
    const changed = (ids: readonly string[]) => catalogue.forget(ids).catch(() => undefined);
    return {
      log,
      gone: createBell(),
      delivery,
      database,
      reads: createReads(database),
      catalogue,
      products: productCommands(database, changed),
      prisma,
      live,
      feeds,
      commands: orderCommands(database, prisma, delivery),
      demoData: config.DEMO_DATA,
    };
  },
  context: ({ database, reads, catalogue, products, commands, live, feeds }, principal) => ({
    principal,
    reader: database,
    commands,
    products,
    live,
    feeds,
    loaders: createLoaders(database, reads, catalogue),
  }),
  consumers: ({ database, catalogue, gone }) => consumers(database, catalogue, gone.ring),
  rights: { contracts: [userUpdated, userDeleted], read: readRights },
  async run({ log, database, commands, gone, demoData }) {
    if (demoData) await seedProducts(commands);
    const work = () => eraseOrders(database, commands, log);
    return [repeat({ name: 'eraser', bell: gone, pollMs: erasePollMs, log, work })];
  },
  async close({ live, feeds, prisma, delivery }) {
    await Promise.all([live.stop(), feeds.stop(), delivery.close()]);
    await prisma.$disconnect();
  },
});
