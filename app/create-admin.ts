import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { Config } from '../platform/config.js';
import { migrate } from '../platform/migrate.js';
import { openDatabase } from '../platform/postgres/database.js';
import { projectPath } from '../platform/root.js';
import { makeAdmin } from '../subgraphs/user/admin.js';
import { reachDatabases } from './own-servers.js';

export interface CreateAdminOptions {
  email: string;
  firstName: string;
  lastName: string;
  promotes: boolean;
  /** Where the password stands, in one line; undefined makes one, which is printed. */
  passwordFrom: NodeJS.ReadableStream | undefined;
  print: (line: string) => void;
}

/**
 * Makes the first ADMIN, or another, in the user service's database; its event leaves by the service's relay. The service
 * need not run.
 * @throws Error where it is refused
 */
export async function createAdmin(config: Config, options: CreateAdminOptions): Promise<void> {
  const { email, firstName, lastName, promotes, passwordFrom, print } = options;
  const given = passwordFrom && (await text(passwordFrom)).replace(/\r?\n$/, '');
  if (given !== undefined && /[\r\n]/.test(given)) throw new Error('the password stands in one line');
  const password = given ?? randomBytes(18).toString('base64url');
  const { url, close } = await reachDatabases(config);
  const place = { url: url('user'), service: 'user' };
  await migrate({ ...place, directory: projectPath('prisma', 'user', 'migrations') });
  const database = openDatabase(place);
  try {
    const result = await makeAdmin(database, { email, firstName, lastName, password, promotes });
    if (!result.ok) throw new Error(result.message);
    if (result.value === 'promoted') print(`${email} is an ADMIN now; the password is the one that it was`);
    else
      print(
        given === undefined ? `${email} is an ADMIN; the password is ${password}` : `${email} is an ADMIN`,
      );
  } finally {
    await database.close();
    await close();
  }
}
