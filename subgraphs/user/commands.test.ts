import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { createTokenSigner } from '../../platform/auth/tokens.js';
import type { Database } from '../../platform/postgres/database.js';
import { prismaOptions } from '../../platform/postgres/prisma.js';
import { serviceDatabase } from '../../test/support/service.js';
import { userCommands } from './commands.js';
import { PrismaClient } from './generated/prisma/client.js';

async function open() {
  const database = await serviceDatabase('user');
  const prisma = new PrismaClient(prismaOptions(database));
  onTestFinished(() => prisma.$disconnect());
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return {
    database,
    commands: userCommands(prisma, await createTokenSigner({ privateKey: pem, ttlMs: 60_000 })),
  };
}

const newcomer = () => ({
  email: `${randomUUID()}@example.org`,
  password: 'correct horse',
  firstName: 'Rosa',
  lastName: 'Random',
});

const count = async (database: Database, table: string) =>
  (await database.query<{ count: number }>(`select count(*) from ${table}`)).rows[0]?.count;

test('an account, its event and its session are made together or not at all', async () => {
  const { database, commands } = await open();
  expect(await commands.register(newcomer())).toMatchObject({ ok: true });
  expect([await count(database, 'users'), await count(database, 'outbox')]).toEqual([1, 1]);
  await database.query('alter table refresh_tokens add constraint nothing check (false) not valid');
  await expect(commands.register(newcomer())).rejects.toThrow();
  expect([await count(database, 'users'), await count(database, 'outbox')]).toEqual([1, 1]);
});

test('of two registrations of one address at once, in whatever case, one is refused', async () => {
  const { database, commands } = await open();
  const one = newcomer();
  const results = await Promise.all([
    commands.register(one),
    commands.register({ ...one, email: one.email.toUpperCase() }),
  ]);
  expect(results.filter(({ ok }) => ok)).toHaveLength(1);
  expect(results.find(({ ok }) => !ok)).toMatchObject({ code: 'CONFLICT', field: 'email' });
  expect(await count(database, 'users')).toBe(1);
});

test('refresh tokens are kept as hashes, and forgotten once they have ended', async () => {
  const { database, commands } = await open();
  const one = newcomer();
  const registered = await commands.register(one);
  await commands.login(one);
  const { rows } = await database.query<{ token_hash: string }>('select token_hash from refresh_tokens');
  expect(rows).toHaveLength(2);
  if (!registered.ok) throw new Error('it was refused');
  expect(JSON.stringify(rows)).not.toContain(registered.value.refreshToken);
  expect(await commands.forgetExpiredTokens()).toBe(0);
  await database.query(
    `update refresh_tokens set expires_at = now() - interval '1 minute' where token_hash = $1`,
    [rows[0]?.token_hash],
  );
  expect(await commands.forgetExpiredTokens()).toBe(1);
  expect(await count(database, 'refresh_tokens')).toBe(1);
});
