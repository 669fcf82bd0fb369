import { hash } from '@node-rs/argon2';
import { expect, test } from 'vitest';
import { unwrap } from '../../platform/errors.js';
import { count, newcomer, openUsers } from '../../test/support/users.js';

const wrong = { code: 'UNAUTHENTICATED' };
const limited = { code: 'RATE_LIMITED', extensions: { http: { status: 429 } } };
type Users = Awaited<ReturnType<typeof openUsers>>;

const later = ({ database }: Users, minutes: number) =>
  database.query(
    `update throttles set failures = array(
    select f - $1 * interval '1 minute' from unnest(failures) f)`,
    [minutes],
  );

test('ten wrong passwords of an account are told, the next is refused, and the right one too, until they are old', async () => {
  const users = await openUsers();
  const { commands } = users;
  const one = newcomer();
  const other = newcomer();
  await commands.register(one);
  await commands.register(other);
  const guess = () => commands.login({ ...one, password: 'wrong horse' }, undefined);
  for (let tried = 0; tried < 10; tried += 1) expect(await guess()).toMatchObject(wrong);
  expect(await guess()).toMatchObject(limited);
  const refused = await commands.login({ ...one, email: ` ${one.email.toUpperCase()}` }, undefined);
  expect(refused).toMatchObject(limited);
  const retryAfter = refused.ok ? 0 : Number(refused.extensions?.['retryAfter']);
  expect([retryAfter > 14 * 60, retryAfter <= 15 * 60]).toEqual([true, true]);
  expect(await commands.login(other, undefined)).toMatchObject({ ok: true });
  await later(users, 14);
  expect(await commands.login(one, undefined)).toMatchObject(limited);
  await later(users, 1);
  expect(await commands.login(one, undefined)).toMatchObject({ ok: true });
});

test('a password of 128 characters that take two places each is one to log in with', async () => {
  const { commands } = await openUsers();
  const one = { ...newcomer(), password: '🐎'.repeat(128) };
  await commands.register(one);
  expect(await commands.login(one, undefined)).toMatchObject({ ok: true });
});

test('an address that nobody has is refused in the same words', async () => {
  const { commands } = await openUsers();
  const nobody = newcomer();
  for (let tried = 0; tried < 10; tried += 1)
    expect(await commands.login(nobody, undefined)).toMatchObject(wrong);
  expect(await commands.login(nobody, undefined)).toMatchObject(limited);
});

test('of 50 wrong passwords at once ten are told, and the right one among them gets no session after those', async () => {
  const { database, commands } = await openUsers();
  const one = newcomer();
  const { user } = unwrap(await commands.register(one));
  const results = await Promise.all(
    Array.from({ length: 50 }, () => commands.login({ ...one, password: 'wrong horse' }, undefined)),
  );
  const codes = results.map((result) => (result.ok ? 'OK' : result.code));
  expect(codes.filter((code) => code === 'UNAUTHENTICATED')).toHaveLength(10);
  expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(40);
  const change = { currentPassword: one.password, newPassword: 'another horse' };
  const principal = { userId: user.id, role: 'CUSTOMER', expiresAt: 0 } as const;
  expect(await commands.changePassword(principal, change, undefined)).toMatchObject(limited);
  expect(await count(database, 'refresh_tokens')).toBe(1);
});

test('an account whose email address changes keeps what was wrong of it', async () => {
  const { commands } = await openUsers();
  const one = newcomer();
  const { user } = unwrap(await commands.register(one));
  const principal = { userId: user.id, role: 'CUSTOMER', expiresAt: 0 } as const;
  const change = { currentPassword: 'wrong horse', newPassword: 'another horse' };
  const guess = () => commands.changePassword(principal, change, undefined);
  for (let tried = 0; tried < 6; tried += 1) expect(await guess()).toMatchObject({ code: 'BAD_USER_INPUT' });
  const { email } = newcomer();
  await commands.update(principal, user.id, { email });
  for (let tried = 0; tried < 4; tried += 1)
    expect(await commands.login({ email, password: 'wrong horse' }, undefined)).toMatchObject(wrong);
  await commands.update(principal, user.id, { email: newcomer().email });
  expect(await guess()).toMatchObject(limited);
});

test('right passwords at once are not counted', async () => {
  const { commands } = await openUsers();
  const one = newcomer();
  await commands.register(one);
  const results = await Promise.all(Array.from({ length: 30 }, () => commands.login(one, '192.0.2.1')));
  expect(results.every(({ ok }) => ok)).toBe(true);
});

test('a hundred wrong passwords from one network are told, whatever accounts they are of; others go on', async () => {
  const { database, commands } = await openUsers();
  const one = newcomer();
  await commands.register(one);
  await commands.login(newcomer(), '2001:db8::1');
  await database.query('update throttles set failures = array_fill(now(), array[99]) where most = 100');
  expect(await commands.login(newcomer(), '2001:db8::2')).toMatchObject(wrong);
  expect(await commands.login(one, '2001:0db8:0::3')).toMatchObject(limited);
  expect(await commands.login(one, '2001:db8:1::1')).toMatchObject({ ok: true });
});

test('a password that was changed is the only one, and its session the only session', async () => {
  const { database, commands } = await openUsers();
  const one = newcomer();
  const { user, refreshToken } = unwrap(await commands.register(one));
  const principal = { userId: user.id, role: 'CUSTOMER', expiresAt: 0 } as const;
  const change = { currentPassword: one.password, newPassword: 'another horse' };
  expect(
    await commands.changePassword(principal, { ...change, currentPassword: 'wrong horse' }, undefined),
  ).toMatchObject({ code: 'BAD_USER_INPUT', field: 'currentPassword' });
  const session = unwrap(await commands.changePassword(principal, change, undefined));
  expect(await count(database, 'refresh_tokens')).toBe(1);
  expect(await commands.refresh(refreshToken)).toMatchObject(wrong);
  expect(await commands.refresh(session.refreshToken)).toMatchObject({ ok: true });
  expect(await commands.login(one, undefined)).toMatchObject(wrong);
  expect(await commands.login({ ...one, password: 'another horse' }, undefined)).toMatchObject({ ok: true });
});

test('a hash of other parameters is made anew by a login, and stays right', async () => {
  const { database, commands } = await openUsers();
  const one = newcomer();
  await commands.register(one);
  await database.query('update users set password_hash = $1', [
    await hash(one.password, { memoryCost: 8_192, timeCost: 1, parallelism: 1 }),
  ]);
  for (let time = 0; time < 2; time += 1)
    expect(await commands.login(one, undefined)).toMatchObject({ ok: true });
  const { rows } = await database.query<{ hash: string }>('select password_hash as hash from users');
  expect(rows[0]?.hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
});
