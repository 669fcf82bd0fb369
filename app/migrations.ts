import { type Config, serviceNames } from '../platform/config.js';
import { migrate, migrateDown, migrationStatus } from '../platform/migrate.js';
import { projectPath } from '../platform/root.js';
import { reachDatabases } from './own-servers.js';

export type MigrationCommand = 'up' | 'down' | 'status';

/**
 * Runs a migration command on every service's database, or on that of one: `up` applies what is
 * pending, `down` takes the last one back, `status` lists all. Starts the embedded PostgreSQL where no
 * database is named. Calls `print` with a line for each migration.
 */
export async function runMigrations(
  config: Config,
  options: { command: MigrationCommand; service?: string | undefined; print: (line: string) => void },
): Promise<void> {
  const { command, service, print } = options;
  const services = serviceNames.filter((name) => service === undefined || name === service);
  const { url, close } = await reachDatabases(config);
  try {
    for (const name of services) {
      const place = {
        url: url(name),
        directory: projectPath('prisma', name, 'migrations'),
        service: name,
      };
      await run(command, { ...place, log: (line) => print(`${name}: ${line}`) });
    }
  } finally {
    await close();
  }
}

async function run(
  command: MigrationCommand,
  place: { url: string; directory: string; service: string; log: (line: string) => void },
): Promise<void> {
  if (command === 'status') {
    for (const { name, state } of await migrationStatus(place)) place.log(`${name} ${state}`);
  } else if (command === 'up') {
    if ((await migrate(place)).applied.length === 0) place.log('nothing to apply');
  } else if ((await migrateDown(place)).undone.length === 0) place.log('nothing to take back');
}
