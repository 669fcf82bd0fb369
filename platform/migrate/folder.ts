import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MigrationError } from './error.js';

/** One folder `<timestamp>_<name>` of a service's migrations. */
export interface Migration {
  name: string;
  /** migration.sql */
  up: string;
  /** down.sql, where there is one. */
  down: string | undefined;
}

/** All migrations in the order they are applied in, which is that of their names. Throws MigrationError `missing`. */
export async function readMigrations(directory: string, service: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    throw new MigrationError('missing', { service }, `cannot be read from ${directory}`, error);
  });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  names.sort((a, b) => (a < b ? -1 : 1));
  return Promise.all(
    names.map(async (name) => {
      const up = await readFile(join(directory, name, 'migration.sql'), 'utf8').catch((error: unknown) => {
        throw new MigrationError(
          'missing',
          { service, migration: name },
          'has no readable migration.sql',
          error,
        );
      });
      return { name, up, down: await readIfThere(join(directory, name, 'down.sql')) };
    }),
  );
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** SHA-256 of the SQL, in hex: what Prisma's schema engine keeps, too. */
export const checksum = (sql: string): string => createHash('sha256').update(sql).digest('hex');

/** Whether the SQL is what was applied; line endings do not count (nor do they for Prisma), since git rewrites them. */
export function isUnchanged(sql: string, applied: string): boolean {
  const lf = sql.replaceAll('\r\n', '\n');
  return [sql, lf, lf.replaceAll('\n', '\r\n')].some((text) => checksum(text) === applied);
}
