import { userDeleted, userUpdated } from '../../events/user.js';
import { readRights, rememberUsers } from '../../platform/auth/known-users.js';
import { userNewsConsumers } from '../../platform/auth/user-news.js';
import type { Config } from '../../platform/config.js';
import type { CommitPosition } from '../../platform/graphql/cursor.js';
import { createLiveSource, type LiveSource } from '../../platform/live/source.js';
import type { Log } from '../../platform/log.js';
import type { Database } from '../../platform/postgres/database.js';
import { defineSubgraph } from '../../platform/subgraph/define.js';
import { type BusReads, busReads } from './bus.js';
import type { Context } from './context.js';
import { readFeed } from './feed.js';
import { makeMonths, startMonths } from './partitions.js';
import { type EventCommands, eventCommands } from './publish.js';
import { createLoaders } from './reads.js';
import { resolvers } from './resolvers.js';
import type { EventRow } from './rows.js';
import { consumers } from './store.js';

interface App {
  config: Config;
  log: Log;
  database: Database;
  bus: BusReads;
  commands: EventCommands;
  /** All events, by a filter. */
  feed: LiveSource<EventRow, CommitPosition>;
}

/** Another replica may have stored an event: nothing rings for it here. */
const feedPollMs = 500;

/** A group of its own: what the store reads of an event tells nothing of rights. */
const usersGroup = 'event-users';

/** Everything that has happened, as it was told. */
export const eventSubgraph = defineSubgraph<App, Context>({
  name: 'event',
  resolvers,
  async open({ config, log, database, bus }) {
    // Before the first events come. What goes wrong here the worker makes good: nothing is lost without a month.
    await makeMonths(database).catch((error: unknown) => log.warn({ err: error }, 'no months were made'));
    const feed = createLiveSource<EventRow, CommitPosition>({
      name: 'feed',
      log,
      unknownMs: 0,
      start: { xid: '0', id: '0' },
      pollMs: feedPollMs,
      read: readFeed(database),
    });
    const commands = eventCommands({ database, bus, log });
    return { config, log, database, bus: busReads(bus, log), feed, commands };
  },
  context: ({ database, bus, feed, commands }, principal) => ({
    ...{ principal, bus, feed, commands },
    reader: database,
    loaders: createLoaders(database),
  }),
  consumers: ({ database, feed }) => [
    ...consumers(database, feed.ringAll),
    ...userNewsConsumers({
      ...{ database, group: usersGroup, updated: userUpdated, deleted: userDeleted },
      learn: async (tx, news) => void (await rememberUsers(tx, news)),
    }),
  ],
  rights: { contracts: [userUpdated, userDeleted], read: readRights },
  run: ({ config, log, database }) => [startMonths(database, config.EVENT_RETENTION, log)],
  close: ({ feed }) => feed.stop(),
});
