import { onTestFinished } from 'vitest';
import { type Contract, type Event, parseMessage, toMessage } from '../../platform/bus/event.js';
import type { ServiceName } from '../../platform/config.js';
import { migrate } from '../../platform/migrate.js';
import { type Database, openDatabase, type Tx } from '../../platform/postgres/database.js';
import { projectPath } from '../../platform/root.js';
import { createTestDatabase } from '../../platform/testing/postgres.js';

/** A service's database with all its migrations, which goes when the test ends, or when `onEnd` says. */
export async function serviceDatabase(
  service: ServiceName,
  onEnd: (close: () => Promise<void>) => void = onTestFinished,
): Promise<Database> {
  const { url, drop } = await createTestDatabase(service);
  const database = openDatabase({ url, service });
  onEnd(async () => {
    await database.close();
    await drop();
  });
  await migrate({ url, directory: projectPath('prisma', service, 'migrations'), service });
  return database;
}

/** An event as its consumers get it; each call makes another one. */
export function eventOf<T>(contract: Contract<T>, data: NoInfer<T>): Event<T> {
  const event = parseMessage(contract, toMessage('test', contract, data, new Date()));
  if (typeof event === 'string') throw new Error(event);
  return event;
}

/** The same database, counting the statements that are run on it in transactions. */
export function counting(database: Database): { database: Database; count: () => number } {
  let count = 0;
  const counted = (tx: Tx): Tx => ({
    query(text, values) {
      count += 1;
      return tx.query(text, values);
    },
  });
  return {
    database: { ...database, transaction: (work) => database.transaction((tx) => work(counted(tx))) },
    count: () => count,
  };
}

/** The consumer of a topic among a service's consumers, of one group where several have it. */
export function consumerOf<C extends { group: string; contract: { topic: string } }>(
  consumers: C[],
  contract: { topic: string },
  group?: string,
): C {
  const found = consumers.find(
    (consumer) =>
      consumer.contract.topic === contract.topic && (group === undefined || consumer.group === group),
  );
  if (!found) throw new Error(`nobody consumes ${contract.topic}`);
  return found;
}

/** Runs statements in one transaction and rolls it back; rejects with what PostgreSQL says, deferred constraints too. */
export const attempt = (database: Database, ...statements: string[]): Promise<void> =>
  database
    .transaction(async (tx) => {
      for (const statement of statements) await tx.query(statement);
      await tx.query('set constraints all immediate');
      throw new RolledBack();
    })
    .catch((error: unknown) => {
      if (!(error instanceof RolledBack)) throw error;
    });

class RolledBack extends Error {}
