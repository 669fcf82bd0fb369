import { GraphQLError } from 'graphql';
import { type Channel, createChannel } from '../../../platform/live/channel.js';

export interface Change {
  cursor: string;
  value: number;
}

/** What may be wrong with a history. */
export interface HistoryFaults {
  /** How far behind a cursor it begins, for who comes back with one. */
  skip?: number;
  /** A cursor that it has not given is taken for none. */
  lenient?: boolean;
  /** What is sent of a change to who watches. */
  told?: (change: Change) => Change[];
  /** What is sent at first to who comes without a cursor. */
  first?: (changes: Change[]) => Change[];
}

export interface History {
  /** Adds a change; answers how many there are. */
  change(): number;
  /** The present state, or what follows a cursor; then all that comes. */
  watch(after: string | null | undefined): Channel<Change>;
}

export function createHistory(faults: HistoryFaults = {}): History {
  const { skip = 0, lenient = false, told = (change) => [change] } = faults;
  const { first = (changes) => changes.slice(-1) } = faults;
  const changes: Change[] = [{ cursor: 'c0', value: 0 }];
  const watching = new Set<(change: Change) => void>();
  return {
    change() {
      const made = { cursor: `c${changes.length}`, value: changes.length };
      changes.push(made);
      for (const tell of [...watching]) tell(made);
      return changes.length;
    },
    watch(after) {
      const index = changes.findIndex(({ cursor }) => cursor === after);
      if (typeof after === 'string' && index < 0 && !lenient)
        throw new GraphQLError('after is a cursor of something else');
      const tell = (change: Change) => {
        for (const one of told(change)) channel.push(one);
      };
      const channel = createChannel<Change>({
        limit: 1_000,
        onClose: () => watching.delete(tell),
        overflow: () => new Error('too slow'),
      });
      watching.add(tell);
      for (const change of index < 0 ? first(changes) : changes.slice(index + 1 + skip)) tell(change);
      return channel;
    },
  };
}
