import { Cancellation } from '../../platform/calls/cancellation.js';
import { CallError } from '../../platform/calls/error.js';
import type { Answer } from '../../platform/calls/http1/answer-reader.js';
import { metrics } from '../../platform/metrics.js';
import type { GatewayContext } from '../context.js';
import type { SubgraphAddress } from '../supergraph.js';

/** Sends a read; what it is given cancels it. */
type Start = (cancellation: Cancellation | undefined) => Promise<Answer>;

interface Read {
  answer: Promise<Answer>;
  cancellation: Cancellation;
  /** Until when it is waited for by the request that began it. */
  deadline: number;
  /** How many still wait for it. */
  readers: number;
}

/** Timers may be so much early. */
const timerMs = 2;

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

  function begin(user: string, key: string, deadline: number, start: Start): Read {
    const cancellation = new Cancellation();
    const read: Read = { answer: start(cancellation), cancellation, deadline, readers: 0 };
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

  /** Waits for a read, for as long as there is somebody to wait for. */
  async function wait(read: Read, context: GatewayContext, leave: () => void): Promise<Answer> {
    const { cancellation, deadline } = context;
    read.readers++;
    cancellation?.add(leave);
    try {
      return await (deadline < read.deadline ? within(deadline, read.answer, leave) : read.answer);
    } finally {
      cancellation?.delete(leave);
    }
  }

  return {
    async join(subgraph, body, context, start) {
      const { authorization = '', cancellation, deadline } = context;
      const user = userOf(context);
      // After a swap the subgraph may be elsewhere: what hangs at its old address is nothing to wait for.
      const key = `${subgraph.name}\n${subgraph.url}\n${authorization}\n${body}`;
      for (;;) {
        if (cancellation?.isCancelled) throw new CallError('cancelled', 'nobody waits for it any more');
        const known = underWay.get(user)?.get(key);
        const read = known ?? begin(user, key, deadline, start);
        if (known) metrics.readsJoined.inc({ subgraph: subgraph.name });
        let hasLeft = false;
        const leave = () => {
          // Who has gone away may still be there when its time is over.
          if (hasLeft) return;
          hasLeft = true;
          if (--read.readers > 0) return;
          forgetRead(user, key, read);
          read.cancellation.cancel();
        };
        try {
          return await wait(read, context, leave);
        } catch (error) {
          // It had the time of the request that began it, which may have had less left than this one: whoever has
          // more tries again, and all of them together. What takes the subgraph too long is over for all.
          const isLate = known && error instanceof CallError && error.outcome === 'timeout';
          const now = performance.now();
          if (!isLate || now < read.deadline - timerMs || now >= deadline) throw error;
        }
      }
    },
    forget: (context) => void underWay.delete(userOf(context)),
  };
}

/** The answer, if it comes until then; `leave` is told when it does not. */
async function within(deadline: number, answer: Promise<Answer>, leave: () => void): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      leave();
      reject(new CallError('timeout', 'what it waited for did not come in time'));
    }, deadline - performance.now());
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

const userOf = ({ principal }: GatewayContext): string => principal?.userId ?? '';
