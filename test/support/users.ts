import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createTokenSigner } from '../../platform/auth/tokens.js';
import type { Database } from '../../platform/postgres/database.js';
import { silent } from '../../platform/testing/log.js';
import { userCommands } from '../../subgraphs/user/commands.js';
import { serviceDatabase } from './service.js';

/** Signs with a key that nobody else has. */
export async function someSigner() {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return createTokenSigner({ privateKey: pem, ttlMs: 60_000 });
}

/** The commands of a user service on a database of its own, which goes when the test ends. */
export async function openUsers() {
  const database = await serviceDatabase('user');
  return { database, commands: userCommands(database, await someSigner(), silent) };
}

export const newcomer = () => ({
  email: `${randomUUID()}@example.org`,
  password: 'correct horse',
  firstName: 'Rosa',
  lastName: 'Random',
});

/** How many rows a table has. */
export const count = async (database: Database, table: string, where = 'true') =>
  (await database.query<{ count: number }>(`select count(*) from ${table} where ${where}`)).rows[0]?.count;

/** The kinds of events that wait in the outbox, in order. */
export const topics = async (database: Database): Promise<string[]> =>
  (await database.query<{ topic: string }>('select topic from outbox order by id')).rows.map(
    ({ topic }) => topic,
  );
