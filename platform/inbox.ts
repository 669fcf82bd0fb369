import type { Consumer } from './bus/bus.js';
import type { Contract, Event } from './bus/event.js';
import type { Database, Tx } from './postgres/database.js';

/**
 * A consumer whose effects are single: what `handle` does and the note that it has been done are one
 * transaction. `handle` gets only the events that this group has not handled before, in order.
 */
export function inboxConsumer<T>(options: {
  database: Database;
  group: string;
  contract: Contract<T>;
  handle: (tx: Tx, events: Event<T>[]) => Promise<void>;
  /** Called once the effects of these events can be seen. */
  committed?: (events: Event<T>[]) => void;
}): Consumer<T> {
  const { database, group, contract, handle, committed } = options;
  return {
    group,
    contract,
    async handle(events) {
      await database.transaction(async (tx) => {
        const { rows } = await tx.query<{ eventId: string }>(
          `insert into inbox (group_name, event_id) select $1, * from unnest($2::uuid[]) as e (id) order by id
           on conflict do nothing returning event_id as "eventId"`,
          [group, events.map(({ id }) => id)],
        );
        const unseen = new Set(rows.map(({ eventId }) => eventId));
        // `delete`, because a batch can hold one event twice: the first stands for both.
        const fresh = events.filter(({ id }) => unseen.delete(id));
        if (fresh.length > 0) await handle(tx, fresh);
      });
      committed?.(events);
    },
  };
}
