import type { Reader } from '../../platform/postgres/database.js';
import type { ClientAddress, RequestContext } from '../../platform/subgraph/define.js';
import type { UserCommands } from './commands.js';
import type { Loaders } from './reads.js';

export interface Context extends RequestContext {
  reader: Reader;
  loaders: Loaders;
  commands: UserCommands;
  clientAddress: ClientAddress;
}
