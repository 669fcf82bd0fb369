import type { Config } from '../../platform/config.js';
import type { Log } from '../../platform/log.js';
import type { Database } from '../../platform/postgres/database.js';
import { defineSubgraph } from '../../platform/subgraph/define.js';
import type { Context } from './context.js';
import { makeMonths, startMonths } from './partitions.js';
import { createLoaders } from './reads.js';
import { resolvers } from './resolvers.js';
import { consumers } from './store.js';

interface App {
  config: Config;
  log: Log;
  database: Database;
}

/** Everything that has happened, as it was told. */
export const eventSubgraph = defineSubgraph<App, Context>({
  name: 'event',
  resolvers,
  async open({ config, log, database }) {
    // Before the first events come. What goes wrong here the worker makes good: nothing is lost without a month.
    await makeMonths(database).catch((error: unknown) => log.warn({ err: error }, 'no months were made'));
    return { config, log, database };
  },
  context: ({ database }, principal) => ({ principal, loaders: createLoaders(database) }),
  consumers: ({ database }) => consumers(database, () => {}),
  run: ({ config, log, database }) => [startMonths(database, config.EVENT_RETENTION, log)],
});
