import { PrismaPg } from '@prisma/adapter-pg';
import type { Database } from './database.js';

/** The options of a service's Prisma client: it shares the pool, and its transactions wait their turn under load. */
export const prismaOptions = (database: Database) => ({
  adapter: new PrismaPg(database.pool),
  transactionOptions: { maxWait: 10_000, timeout: 15_000 },
});
