import { ok } from '../../platform/errors.js';
import type { AskUsers } from '../../subgraphs/delivery/accounts.js';
import type { System } from './system.js';

/** A user service to which all accounts are those of couriers. */
export const onlyCouriers: AskUsers = { ask: async () => ok({ role: 'COURIER', rights: 1 }) };

/** For consumers of delivery whose news nobody waits for. */
export const untold = { closed: () => undefined, freed: () => undefined };

/** A new account of role COURIER, and a token of it. */
export async function courierAccount(system: System): Promise<{ userId: string; token: string }> {
  const { userId } = await system.register();
  await system.setRole(userId, 'COURIER');
  return { userId, token: await system.sign({ id: userId, role: 'COURIER', rights: 2 }) };
}
