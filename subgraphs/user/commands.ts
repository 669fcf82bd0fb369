import type { TokenSigner } from '../../platform/auth/tokens.js';
import type { Log } from '../../platform/log.js';
import type { Database } from '../../platform/postgres/database.js';
import { type AccountCommands, accountCommands } from './accounts.js';
import { type LoginCommands, loginCommands } from './login.js';
import { type SessionCommands, sessionCommands } from './sessions.js';

export type UserCommands = AccountCommands & LoginCommands & SessionCommands;

export const userCommands = (database: Database, signer: TokenSigner, log: Log): UserCommands => ({
  ...accountCommands(database, signer),
  ...loginCommands(database, signer),
  ...sessionCommands(database, signer, log),
});
