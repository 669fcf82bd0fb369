import { expect, test } from 'vitest';
import { unwrap } from '../../platform/errors.js';
import { count, newcomer, openUsers, topics } from '../../test/support/users.js';
import { makeAdmin } from './admin.js';

test('the first ADMIN is made with an event, and logs in', async () => {
  const { database, commands } = await openUsers();
  const admin = newcomer();
  const asked = { ...admin, email: ` ${admin.email.toUpperCase()}`, promotes: false };
  expect(await makeAdmin(database, asked)).toEqual({ ok: true, value: 'made' });
  expect(unwrap(await commands.login(admin, undefined)).user).toMatchObject({ role: 'ADMIN' });
  expect(await topics(database)).toEqual(['user.registered']);
  expect(await makeAdmin(database, asked)).toMatchObject({ code: 'CONFLICT' });
  expect(await makeAdmin(database, { ...newcomer(), password: 'password', promotes: false })).toMatchObject({
    ...{ code: 'BAD_USER_INPUT', field: 'password' },
  });
  expect(await count(database, 'users')).toBe(1);
});

test('an account that is there becomes one where that is asked for, and keeps its password', async () => {
  const { database, commands } = await openUsers();
  const one = newcomer();
  const promote = () => makeAdmin(database, { ...one, password: 'another horse', promotes: true });
  expect(await promote()).toMatchObject({ code: 'NOT_FOUND' });
  unwrap(await commands.register(one));
  for (let time = 0; time < 2; time += 1) expect(await promote()).toEqual({ ok: true, value: 'promoted' });
  expect(unwrap(await commands.login(one, undefined)).user).toMatchObject({ role: 'ADMIN', rights: 2 });
  expect(await topics(database)).toEqual(['user.registered', 'user.updated']);
});
