import { demoCustomer } from '../../events/demo.js';
import { unwrap } from '../../platform/errors.js';
import type { PaymentCommands } from './commands.js';
import type { PrismaClient } from './generated/prisma/client.js';

/** Gives the demo customer 1,000.00 to begin with. */
export async function seedAccount(prisma: PrismaClient, commands: PaymentCommands): Promise<void> {
  const { id } = demoCustomer;
  // Idempotency keys are forgotten after a week; the ledger remembers.
  if ((await prisma.ledgerEntry.count({ where: { account: { userId: id } } })) > 0) return;
  unwrap(await commands.topUp({ by: id, userId: id, amount: '1000.00', idempotencyKey: 'demo data' }));
}
