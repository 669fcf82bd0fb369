import { type DemoUser, demoPassword, demoUsers } from '../../events/demo.js';
import type { UserCommands } from './commands.js';

const named: Record<string, { firstName: string; lastName: string }> = {
  customer: { firstName: 'Cora', lastName: 'Customer' },
  dispatcher: { firstName: 'Dan', lastName: 'Dispatcher' },
  admin: { firstName: 'Ada', lastName: 'Admin' },
};

/** Makes the demo accounts that are not there yet. */
export async function seedUsers(commands: UserCommands): Promise<void> {
  await commands.ensureUsers(demoUsers.map((user) => ({ ...user, ...nameOf(user), password: demoPassword })));
}

function nameOf({ email }: DemoUser): { firstName: string; lastName: string } {
  const login = email.split('@')[0] ?? '';
  return named[login] ?? { firstName: 'Courier', lastName: login.replace('courier', 'No. ') };
}
