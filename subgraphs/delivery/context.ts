import type { LiveSource } from '../../platform/live/source.js';
import type { RequestContext } from '../../platform/subgraph/define.js';
import type { CourierCommands } from './couriers.js';
import type { DispatchCommands } from './dispatch.js';
import type { FeedPosition } from './feed.js';
import type { Loaders } from './reads.js';
import type { DeliveryChangeRow, LocationRow } from './rows.js';

export interface Context extends RequestContext {
  loaders: Loaders;
  couriers: CourierCommands;
  dispatch: DispatchCommands;
  live: LiveSource<DeliveryChangeRow>;
  places: LiveSource<LocationRow, string>;
  feed: LiveSource<DeliveryChangeRow, FeedPosition>;
}
