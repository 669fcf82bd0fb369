import { readdir, readFile } from 'node:fs/promises';
import { type Database, openDatabase } from '../postgres/database.js';
import { projectPath } from '../root.js';
import { createTestDatabase } from './postgres.js';

/**
 * A database with the tables that every service keeps beside its own: outbox, inbox, idempotency keys.
 * They come from the first migration of the order service.
 */
export async function createServiceDatabase(): Promise<{
  database: Database;
  url: string;
  drop(): Promise<void>;
}> {
  const { url, drop } = await createTestDatabase('service');
  const database = openDatabase({ url, service: 'test' });
  const migrations = projectPath('prisma', 'order', 'migrations');
  const [first = ''] = (await readdir(migrations)).filter((name) => /^\d/.test(name)).sort();
  await database.query(await readFile(`${migrations}/${first}/migration.sql`, 'utf8'));
  return {
    url,
    database,
    async drop() {
      await database.close();
      await drop();
    },
  };
}
