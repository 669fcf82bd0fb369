import type { Reader } from '../../platform/postgres/database.js';
import type { ClientAddress, RequestContext } from '../../platform/subgraph/define.js';
import type { UserCommands } from './commands.js';
import type { Loaders } from './reads.js';
import type { UserRow } from './rows.js';

export interface Context extends RequestContext {
  reader: Reader;
  loaders: Loaders;
  commands: UserCommands;
  /** To be told of users that have changed, before anybody is answered: who asks then sees it. */
  changed(user: UserRow): Promise<UserRow>;
  clientAddress: ClientAddress;
}
