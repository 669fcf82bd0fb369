import { expect, test } from 'vitest';
import { unwrap } from '../../platform/errors.js';
import { count, newcomer, openUsers } from '../../test/support/users.js';

test('refresh tokens are kept as hashes, and forgotten once they have ended', async () => {
  const { database, commands } = await openUsers();
  const one = newcomer();
  const { refreshToken } = unwrap(await commands.register(one));
  await commands.login(one, undefined);
  const { rows } = await database.query<{ token_hash: string }>('select token_hash from refresh_tokens');
  expect(rows).toHaveLength(2);
  expect(JSON.stringify(rows)).not.toContain(refreshToken);
  expect(await commands.forgetExpiredTokens()).toBe(0);
  await database.query(
    `update refresh_tokens set expires_at = now() - interval '1 minute' where token_hash = $1`,
    [rows[0]?.token_hash],
  );
  expect(await commands.forgetExpiredTokens()).toBe(1);
  expect(await count(database, 'refresh_tokens')).toBe(1);
});

test('a refresh token is good for one session; a second use ends all that followed, and no other', async () => {
  const { database, commands } = await openUsers();
  const one = newcomer();
  const first = unwrap(await commands.register(one));
  const elsewhere = unwrap(await commands.login(one, undefined));
  const second = unwrap(await commands.refresh(first.refreshToken));
  const third = unwrap(await commands.refresh(second.refreshToken));
  expect(third.user).toMatchObject({ id: first.user.id, self: true });
  expect(await commands.refresh(first.refreshToken)).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await commands.refresh(third.refreshToken)).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await count(database, 'refresh_tokens')).toBe(1);
  expect(await commands.refresh(elsewhere.refreshToken)).toMatchObject({ ok: true });
});

test('of 20 uses of a refresh token at once one gets a session, and that has ended then', async () => {
  const { database, commands } = await openUsers();
  const { refreshToken } = unwrap(await commands.register(newcomer()));
  const results = await Promise.all(Array.from({ length: 20 }, () => commands.refresh(refreshToken)));
  const given = results.flatMap((result) => (result.ok ? [result.value] : []));
  expect(given).toHaveLength(1);
  expect(await commands.refresh(given[0]?.refreshToken ?? '')).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await count(database, 'refresh_tokens')).toBe(0);
});

test('a second use ends the session whatever its other tokens do at the time', async () => {
  const { database, commands } = await openUsers();
  const first = unwrap(await commands.register(newcomer()));
  for (let round = 0, last = first; round < 20; round += 1) {
    const second = unwrap(await commands.refresh(last.refreshToken));
    await Promise.all([commands.refresh(second.refreshToken), commands.refresh(last.refreshToken)]);
    expect(await count(database, 'refresh_tokens')).toBe(0);
    await database.query('delete from users');
    last = unwrap(await commands.register(newcomer()));
  }
});

test('a refresh token that has expired, or that nobody knows, is refused, and ends nothing', async () => {
  const { database, commands } = await openUsers();
  const { refreshToken } = unwrap(await commands.register(newcomer()));
  await database.query(`update refresh_tokens set expires_at = now()`);
  for (const token of [refreshToken, 'x', ''])
    expect(await commands.refresh(token)).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await count(database, 'refresh_tokens')).toBe(1);
});

test('a logout ends its own session, on whatever token of it; one everywhere ends all', async () => {
  const { database, commands } = await openUsers();
  const one = newcomer();
  const first = unwrap(await commands.register(one));
  await commands.login(one, undefined);
  await commands.login(one, undefined);
  await commands.refresh(first.refreshToken);
  await commands.logout(first.refreshToken);
  await commands.logout('nobody knows it');
  expect(await count(database, 'refresh_tokens')).toBe(2);
  const principal = { userId: first.user.id, role: 'CUSTOMER', expiresAt: 0 } as const;
  expect(await commands.logoutEverywhere(principal)).toMatchObject({ ok: true });
  expect(await count(database, 'refresh_tokens')).toBe(0);
});
