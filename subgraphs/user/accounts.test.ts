import { expect, test } from 'vitest';
import type { Principal, Role } from '../../platform/auth/principal.js';
import { unwrap } from '../../platform/errors.js';
import { count, newcomer, openUsers, topics } from '../../test/support/users.js';
import type { UserCommands } from './commands.js';

const tokenOf = (userId: string, role: Role = 'CUSTOMER', rights = 1): Principal => ({
  ...{ userId, role, rights },
  expiresAt: Date.now() + 60_000,
});

async function add(commands: UserCommands, role: Role = 'CUSTOMER') {
  const given = newcomer();
  const id = crypto.randomUUID();
  await commands.ensureUsers([{ ...given, id, role }]);
  return { ...given, id, token: tokenOf(id, role) };
}

test('an account, its event and its session are made together or not at all', async () => {
  const { database, commands } = await openUsers();
  expect(await commands.register(newcomer())).toMatchObject({ ok: true });
  expect([await count(database, 'users'), await count(database, 'outbox')]).toEqual([1, 1]);
  await database.query('alter table refresh_tokens add constraint nothing check (false) not valid');
  await expect(commands.register(newcomer())).rejects.toThrow();
  expect([await count(database, 'users'), await count(database, 'outbox')]).toEqual([1, 1]);
});

test('of 50 registrations of one address at once, in whatever case, one is taken', async () => {
  const { database, commands } = await openUsers();
  const one = newcomer();
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      commands.register({ ...one, email: index % 2 ? one.email.toUpperCase() : one.email }),
    ),
  );
  const refused = results.filter(({ ok }) => !ok);
  expect(refused).toHaveLength(49);
  for (const refusal of refused) expect(refusal).toMatchObject({ code: 'CONFLICT', field: 'email' });
  expect(await count(database, 'users')).toBe(1);
});

test('a change of a name or an address is told without either, and ends no session; none is told of none', async () => {
  const { database, commands } = await openUsers();
  const { user } = unwrap(await commands.register(newcomer()));
  const email = newcomer().email.toUpperCase();
  const changed = unwrap(await commands.update(tokenOf(user.id), user.id, { email, firstName: 'Rosi' }));
  expect(changed).toMatchObject({
    email: email.toLowerCase(),
    firstName: 'Rosi',
    lastName: 'Random',
    version: 2,
  });
  unwrap(await commands.update(tokenOf(user.id), user.id, { firstName: 'Rosi' }));
  expect(await topics(database)).toEqual(['user.registered', 'user.updated']);
  const { rows } = await database.query<{ value: string }>('select value from outbox');
  expect(JSON.stringify(rows)).not.toMatch(/rosi|example/i);
  expect(JSON.parse(rows[1]?.value ?? '').data).toEqual({
    ...{ userId: user.id, role: 'CUSTOMER', version: 2, rights: 1 },
  });
  expect(await count(database, 'refresh_tokens')).toBe(1);
});

test('an address that is taken, in whatever case, is refused', async () => {
  const { commands } = await openUsers();
  const [one, other] = [await add(commands), await add(commands)];
  expect(await commands.update(one.token, one.id, { email: other.email.toUpperCase() })).toMatchObject({
    ...{ ok: false, code: 'CONFLICT', field: 'email' },
  });
});

test('who is deleted leaves nothing personal, no session, and the address', async () => {
  const { database, commands } = await openUsers();
  const one = newcomer();
  const { user, refreshToken } = unwrap(await commands.register(one));
  const deleted = unwrap(await commands.delete(tokenOf(user.id), user.id));
  expect(deleted).toMatchObject({ email: null, firstName: 'Deleted', lastName: 'user', rights: 2 });
  expect(unwrap(await commands.delete(tokenOf(user.id), user.id))).toEqual(deleted);
  expect(await topics(database)).toEqual(['user.registered', 'user.deleted']);
  expect(JSON.stringify((await database.query('select * from users')).rows)).not.toMatch(
    /rosa|random|argon2/i,
  );
  expect(await commands.refresh(refreshToken)).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await commands.login(one, undefined)).toMatchObject({ code: 'UNAUTHENTICATED' });
  for (const refused of [
    await commands.update(tokenOf(user.id), user.id, { firstName: 'Rosa' }),
    await commands.logoutEverywhere(tokenOf(user.id)),
    await commands.changePassword(
      tokenOf(user.id),
      { currentPassword: one.password, newPassword: 'wrong horse' },
      undefined,
    ),
  ])
    expect(refused).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await commands.register(one)).toMatchObject({ ok: true });
});

test('another role tells so, and leaves nothing to tokens of before', async () => {
  const { database, commands } = await openUsers();
  const [admin, one] = [await add(commands, 'ADMIN'), await add(commands)];
  const changed = unwrap(await commands.setRole(admin.token, one.id, 'DISPATCHER'));
  expect(changed).toMatchObject({ role: 'DISPATCHER', rights: 2, version: 2 });
  expect(unwrap(await commands.setRole(admin.token, one.id, 'DISPATCHER'))).toEqual(changed);
  expect(await topics(database)).toEqual(['user.registered', 'user.registered', 'user.updated']);
  expect(await commands.update(one.token, one.id, { firstName: 'Rosi' })).toMatchObject({
    code: 'UNAUTHENTICATED',
  });
  expect(
    await commands.update(tokenOf(one.id, 'DISPATCHER', 2), one.id, { firstName: 'Rosi' }),
  ).toMatchObject({
    ok: true,
  });
});

test('a token decides nothing that its account may not do any more', async () => {
  const { commands } = await openUsers();
  const [one, other] = [await add(commands), await add(commands)];
  const claims = tokenOf(one.id, 'ADMIN');
  expect(await commands.setRole(claims, one.id, 'ADMIN')).toMatchObject({ code: 'FORBIDDEN' });
  expect(await commands.delete(claims, other.id)).toMatchObject({ code: 'FORBIDDEN' });
});

test('of ADMINs who take their roles away, each other’s or their own, or delete each other, one stays', async () => {
  const { database, commands } = await openUsers();
  for (const act of ['others', 'own', 'delete'] as const) {
    const [ada, ann] = [await add(commands, 'ADMIN'), await add(commands, 'ADMIN')];
    await database.query(
      `update users set role = 'CUSTOMER' where role = 'ADMIN' and id <> all($1::uuid[])`,
      [[ada.id, ann.id]],
    );
    const acts = {
      others: (by: typeof ada, whom: typeof ada) => commands.setRole(by.token, whom.id, 'CUSTOMER'),
      own: (by: typeof ada) => commands.setRole(by.token, by.id, 'CUSTOMER'),
      delete: (by: typeof ada, whom: typeof ada) => commands.delete(by.token, whom.id),
    };
    const results = await Promise.all([acts[act](ada, ann), acts[act](ann, ada)]);
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await count(database, 'users', `role = 'ADMIN' and deleted_at is null`)).toBe(1);
  }
});
