import { MigrationError } from './migrate/error.js';
import { isUnchanged, type Migration, readMigrations } from './migrate/folder.js';
import { apply, connected, type Entry, locked, readHistory, undo } from './migrate/history.js';

export { MigrationError } from './migrate/error.js';

export interface MigrateOptions {
  /** Of the service's database, which must exist. */
  url: string;
  /** `prisma/<service>/migrations`: folders `<timestamp>_<name>` with a migration.sql, and a down.sql where it can be undone. */
  directory: string;
  service: string;
  log?: (line: string) => void;
  /** Ends the wait for another process that migrates; what is being applied is finished. */
  signal?: AbortSignal;
}

export type MigrationState =
  | 'applied'
  | 'pending'
  /** Applied, and its migration.sql has changed since. */
  | 'edited'
  /** Left half applied by the Prisma CLI. */
  | 'failed'
  /** Applied, and not in the folder: by a newer version, most likely. */
  | 'unknown';

export interface MigrationStatus {
  name: string;
  state: MigrationState;
  /** When it was applied, or for `failed` when it was begun; null for `pending`. */
  at: Date | null;
}

/** A COMMIT would tear a migration from its row. PL/pgSQL's BEGIN has no semicolon. */
const OWN_TRANSACTION = /^\s*(begin|start|commit|rollback)(\s+(work|transaction))?\s*;/im;

/**
 * Brings a database up to date: applies what is in the folder and not in the database, in order, each
 * in one transaction with its row in `_prisma_migrations`, and gives the names. Several processes may
 * call it at once; one does it and the others wait. Throws MigrationError for a migration that fails
 * (those before it stay, nothing of it does, and the next start tries again), that was edited after
 * it was applied, or that the Prisma CLI left failed; the signal's reason; and pg's errors when there is
 * no server.
 */
export async function migrate(options: MigrateOptions): Promise<{ applied: string[] }> {
  const { url, directory, service, log = () => {} } = options;
  const migrations = await readMigrations(directory, service);
  return locked(url, waiting(options), async (client) => {
    const states = compare(migrations, await readHistory(client));
    check(states, service);
    for (const { name, state } of states) {
      if (state === 'unknown') log(`the database has migration ${name}, which this version does not know`);
    }
    const pending = new Set(states.filter(({ state }) => state === 'pending').map(({ name }) => name));
    const applied: string[] = [];
    for (const migration of migrations.filter(({ name }) => pending.has(name))) {
      const { name } = migration;
      if (OWN_TRANSACTION.test(migration.up)) {
        throw new MigrationError(
          'failed',
          { service, migration: name },
          'begins or ends a transaction: take that out, it runs in one as it is',
        );
      }
      await apply(client, migration).catch((error: unknown) => {
        throw failed({ service, migration: name }, migration.up, error);
      });
      log(`applied migration ${name}`);
      applied.push(name);
    }
    return { applied };
  });
}

/**
 * Undoes the last `steps` (1) applied migrations with their down.sql, last one first, each in one
 * transaction, and gives their names; fewer when fewer are applied. Nothing is undone when one of them
 * has no down.sql. An edited migration can be undone: that, and applying it anew, is the way out.
 */
export async function migrateDown(
  options: MigrateOptions & { steps?: number },
): Promise<{ undone: string[] }> {
  const { url, directory, service, steps = 1, log = () => {} } = options;
  const migrations = new Map(
    (await readMigrations(directory, service)).map((migration) => [migration.name, migration]),
  );
  return locked(url, waiting(options), async (client) => {
    const history = await readHistory(client);
    check(compare([], history), service);
    const plan = history
      .slice(Math.max(history.length - steps, 0))
      .toReversed()
      .map((entry) => {
        const down = migrations.get(entry.name)?.down;
        if (down !== undefined) return { entry, down };
        throw new MigrationError(
          'no-down',
          { service, migration: entry.name },
          'has no down.sql: it cannot be undone',
        );
      });
    for (const { entry, down } of plan) {
      await undo(client, entry, down).catch((error: unknown) => {
        throw failed({ service, migration: entry.name }, down, error);
      });
      log(`undid migration ${entry.name}`);
    }
    return { undone: plan.map(({ entry }) => entry.name) };
  });
}

/** Every migration of the folder and of the database, by name. Changes nothing, and throws only for an unreadable folder or no server. */
export async function migrationStatus(options: MigrateOptions): Promise<MigrationStatus[]> {
  const migrations = await readMigrations(options.directory, options.service);
  return connected(options.url, async (client) => compare(migrations, await readHistory(client)));
}

function compare(migrations: readonly Migration[], history: readonly Entry[]): MigrationStatus[] {
  const files = new Map(migrations.map(({ name, up }) => [name, up]));
  const known = history.map((entry): MigrationStatus => {
    const { name, startedAt, finishedAt: at } = entry;
    if (at === null) return { name, state: 'failed', at: startedAt };
    const up = files.get(name);
    if (up === undefined) return { name, state: 'unknown', at };
    return { name, state: isUnchanged(up, entry.checksum) ? 'applied' : 'edited', at };
  });
  const there = new Set(history.map(({ name }) => name));
  const pending = migrations.filter(({ name }) => !there.has(name));
  const all = [
    ...known,
    ...pending.map(({ name }): MigrationStatus => ({ name, state: 'pending', at: null })),
  ];
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function check(states: readonly MigrationStatus[], service: string): void {
  for (const { name: migration, state } of states) {
    if (state === 'failed') {
      throw new MigrationError(
        'failed-before',
        { service, migration },
        'was begun by another tool and failed: undo by hand what it did, then `prisma migrate resolve --rolled-back` it, or finish it by hand and resolve it as --applied',
      );
    }
    if (state === 'edited') {
      throw new MigrationError(
        'edited',
        { service, migration },
        'was edited after it was applied: restore its migration.sql and put the change in a new migration',
      );
    }
  }
}

/** PostgreSQL's reason, with the line of the SQL where it gives one. */
function failed(where: { service: string; migration: string }, sql: string, error: unknown): MigrationError {
  const { message, position } = error as { message: string; position?: string };
  const line =
    position === undefined
      ? ''
      : ` (line ${
          [...sql]
            .slice(0, Number(position) - 1)
            .join('')
            .split('\n').length
        })`;
  return new MigrationError('failed', where, `failed, and nothing of it was kept: ${message}${line}`, error);
}

const waiting = ({ log, signal }: MigrateOptions) => ({
  onWait: () => log?.('another process is migrating; waiting for it'),
  signal,
});
