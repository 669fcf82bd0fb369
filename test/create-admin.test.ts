import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../platform/postgres/database.js';
import { silent } from '../platform/testing/log.js';
import { createTestDatabase } from '../platform/testing/postgres.js';
import { userCommands } from '../subgraphs/user/commands.js';
import { runDoorstep } from './support/process.js';
import { count, newcomer, someSigner } from './support/users.js';

test('an ADMIN is made by a command on a database that is empty, with the password that is read or made', async () => {
  const { url, drop } = await createTestDatabase('user');
  const database = openDatabase({ url, service: 'user' });
  onTestFinished(async () => {
    await database.close();
    await drop();
  });
  const create = async (flags: string[], input?: string) => {
    const { ended, output } = runDoorstep(['create-admin', ...flags], { USER_DATABASE_URL: url }, input);
    return { code: await ended, output: output() };
  };
  const { login, register } = userCommands(database, await someSigner(), silent);
  const [one, other] = [newcomer(), newcomer()];

  const read = await create(['--email', one.email, '--password-stdin'], `${one.password}\n`);
  expect(read).toEqual({ code: 0, output: `${one.email} is an ADMIN\n` });
  expect(await login(one, undefined)).toMatchObject({ value: { user: { role: 'ADMIN' } } });

  const lines = await create(['--email', other.email, '--password-stdin'], `${one.password}\n\n`);
  expect(lines).toEqual({ code: 1, output: 'doorstep: the password stands in one line\n' });

  const made = await create(['--email', other.email]);
  const password = /the password is (\S+)\n/.exec(made.output)?.[1];
  expect(await login({ ...other, password }, undefined)).toMatchObject({
    value: { user: { role: 'ADMIN' } },
  });

  const third = newcomer();
  await register(third);
  expect(await create(['--email', third.email])).toMatchObject({ code: 1 });
  expect(await count(database, 'users', `role = 'ADMIN'`)).toBe(2);
  expect(await create(['--email', third.email, '--promote'])).toMatchObject({ code: 0 });
  expect(await count(database, 'users', `role = 'ADMIN'`)).toBe(3);
  expect((await create([])).output).toContain('--email is missing');
});
