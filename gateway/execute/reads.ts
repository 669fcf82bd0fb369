import { Cancellation } from '../../platform/calls/cancellation.js';
import { CallError } from '../../platform/calls/error.js';
import type { Answer } from '../../platform/calls/exchange.js';
import { metrics } from '../../platform/metrics.js';
import type { GatewayContext } from '../context.js';
import type { SubgraphAddress } from '../supergraph.js';

/** Sends a read; what it is given cancels it. */
type Start = (cancellation: Cancellation | undefined) => Promise<Answer>;

interface Read {
  answer: Promise<Answer>;
  cancellation: Cancellation;
  /** How many still wait for it. */
  readers: number;
}

/** The reads that are under way, so that an equal one is waited for instead of sent again. */
export interface Reads {
  /** Sends a read, or waits for one of the same body and token. It is given up when all who wait have gone away. */
  join(subgraph: SubgraphAddress, body: string, context: GatewayContext, start: Start): Promise<Answer>;
  /** No read of this user that starts from now on waits for one that is under way, of whichever subgraph. */
  forget(context: GatewayContext): void;
}

export function createReads(): Reads {
  /** By user, and then by subgraph, token and body. */
  const underWay = new Map<string, Map<string, Read>>();

  function begin(user: string, key: string, start: Start): Read {
    const cancellation = new Cancellation();
    const read: Read = { answer: start(cancellation), cancellation, readers: 0 };
    const ofUser = underWay.get(user) ?? new Map<string, Read>();
    underWay.set(user, ofUser);
    ofUser.set(key, read);
    const end = () => forgetRead(user, key, read);
    read.answer.then(end, end);
    return read;
  }

  function forgetRead(user: string, key: string, read: Read): void {
    const ofUser = underWay.get(user);
    if (ofUser?.get(key) !== read) return;
    ofUser.delete(key);
    if (ofUser.size === 0) underWay.delete(user);
  }

  return {
    async join(subgraph, body, context, start) {
      const { authorization = '', cancellation } = context;
      const user = userOf(context);
      // After a swap the subgraph may be elsewhere: what hangs at its old address is nothing to wait for.
      const key = `${subgraph.name}\n${subgraph.url}\n${authorization}\n${body}`;
      const known = underWay.get(user)?.get(key);
      const read = known ?? begin(user, key, start);
      if (known) metrics.readsJoined.inc({ subgraph: subgraph.name });
      read.readers++;
      const leave = () => {
        if (--read.readers > 0) return;
        forgetRead(user, key, read);
        read.cancellation.cancel();
      };
      cancellation?.add(leave);
      try {
        return await read.answer;
      } catch (error) {
        // It had the time of the request that began it, which may have had less left than this one.
        const isLate = error instanceof CallError && error.outcome === 'timeout';
        if (known && isLate && performance.now() < context.deadline) return await start(cancellation);
        throw error;
      } finally {
        cancellation?.delete(leave);
      }
    },
    forget: (context) => void underWay.delete(userOf(context)),
  };
}

const userOf = ({ principal }: GatewayContext): string => principal?.userId ?? '';
