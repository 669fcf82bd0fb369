import type { LiveSource } from '../../platform/live/source.js';
import type { Reader } from '../../platform/postgres/database.js';
import type { RequestContext } from '../../platform/subgraph/define.js';
import type { OrderCommands } from './commands.js';
import type { FeedPosition } from './live-reads.js';
import type { ProductCommands } from './products.js';
import type { Loaders } from './reads.js';
import type { OrderChangeRow } from './rows.js';

export interface Context extends RequestContext {
  reader: Reader;
  loaders: Loaders;
  commands: OrderCommands;
  products: ProductCommands;
  live: LiveSource<OrderChangeRow>;
  feeds: LiveSource<OrderChangeRow, FeedPosition>;
}
