import { PrismaPg } from '@prisma/adapter-pg';
import type { Query } from '../idempotency.js';
import type { Database } from './database.js';

/** The options of a service's Prisma client: it shares the pool, and its transactions wait their turn under load. */
export const prismaOptions = (database: Database) => ({
  adapter: new PrismaPg(database.pool),
  transactionOptions: { maxWait: 10_000, timeout: 15_000 },
});

/** The part of a Prisma transaction that every service's client has. */
interface RawTransaction {
  $queryRawUnsafe<T>(query: string, ...values: unknown[]): Promise<T>;
}

/** Runs statements of our own in a Prisma transaction. */
export const queryIn =
  (tx: RawTransaction): Query =>
  async <R>(text: string, values: readonly unknown[]) => ({
    rows: await tx.$queryRawUnsafe<R[]>(text, ...values),
  });
