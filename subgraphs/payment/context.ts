import type { LiveSource } from '../../platform/live/source.js';
import type { RequestContext } from '../../platform/subgraph/define.js';
import type { PaymentCommands } from './commands.js';
import type { Loaders } from './reads.js';
import type { PaymentRow } from './rows.js';

export interface Context extends RequestContext {
  loaders: Loaders;
  commands: PaymentCommands;
  live: LiveSource<PaymentRow>;
  /** Whether customers may top up their own accounts. */
  demoData: boolean;
}
