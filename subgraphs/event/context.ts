import type { CommitPosition } from '../../platform/graphql/cursor.js';
import type { LiveSource } from '../../platform/live/source.js';
import type { Reader } from '../../platform/postgres/database.js';
import type { RequestContext } from '../../platform/subgraph/define.js';
import type { BusReads } from './bus.js';
import type { EventCommands } from './publish.js';
import type { Loaders } from './reads.js';
import type { EventRow } from './rows.js';

export interface Context extends RequestContext {
  bus: BusReads;
  commands: EventCommands;
  feed: LiveSource<EventRow, CommitPosition>;
  reader: Reader;
  loaders: Loaders;
}
