import type { AnyConsumer } from '../bus/bus.js';
import type { Contract } from '../bus/event.js';
import { inboxConsumer } from '../inbox.js';
import type { Database, Tx } from '../postgres/database.js';
import type { UserNews } from './known-users.js';
import type { RightsChange } from './rights.js';

/** What a service does when what users may do has changed, be it by a role or by the end of their account. */
export function userNewsConsumers<Updated extends UserNews, Deleted extends RightsChange>(options: {
  database: Database;
  group: string;
  updated: Contract<Updated>;
  deleted: Contract<Deleted>;
  learn: (tx: Tx, news: UserNews[]) => Promise<void>;
  /** Called once it has been learnt. */
  committed?: () => void;
}): AnyConsumer[] {
  const { updated, deleted, learn, ...common } = options;
  return [
    inboxConsumer({
      ...common,
      contract: updated,
      handle: (tx, events) =>
        learn(
          tx,
          events.map(({ data }) => data),
        ),
    }),
    inboxConsumer({
      ...common,
      contract: deleted,
      handle: (tx, events) =>
        learn(
          tx,
          events.map(({ data }) => ({ ...data, role: null })),
        ),
    }),
  ];
}
