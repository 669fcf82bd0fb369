import type { AnyConsumer } from '../bus/bus.js';
import type { Contract, Event } from '../bus/event.js';
import type { RowCache } from './rows.js';

/**
 * A consumer that has rows forgotten of which an event says that they have changed, again and again until that goes
 * well: whoever wrote them may not have been able to, or is no more.
 */
export const forgetting = <T>(
  group: string,
  contract: Contract<T>,
  cache: Pick<RowCache<unknown>, 'forget'>,
  idOf: (data: T) => string,
): AnyConsumer => ({
  group,
  contract,
  handle: (events: Event<T>[]) => cache.forget(events.map(({ data }) => idOf(data))),
});
