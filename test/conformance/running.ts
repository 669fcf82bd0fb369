import { demand } from './audit.js';
import type { Message, Peer } from './peer.js';

/** An operation that a peer has started. */
export interface Running {
  readonly id: string;
  /** What came under its id since it was started. */
  readonly messages: readonly Message[];
  /** The types of these messages. */
  readonly types: string[];
  /** Resolves to the data of the next event that has not been read; fails where anything else comes. */
  event(): Promise<unknown>;
  /** Resolves to all events so far, once there are so many of them. */
  events(count: number): Promise<unknown[]>;
  /** Resolves to its last message, `complete` or `error`. */
  ended(): Promise<Message>;
  /** Resolves to the payload of the `error` message, which has to be its only one. */
  refused(): Promise<unknown>;
  /** Resolves to the data of its result: one `next`, then `complete`. */
  result(): Promise<unknown>;
  /** Tells the server to stop it. */
  complete(): void;
}

const short = (value: unknown): string => JSON.stringify(value)?.slice(0, 300) ?? 'nothing';

function dataOf(message: Message): unknown {
  demand(message.type === 'next', `a next message comes; got ${short(message)}`);
  const { data } = (message.payload ?? {}) as { data?: unknown };
  demand(data !== undefined && data !== null, `a result has data; got ${short(message.payload)}`);
  return data;
}

export function createRunning(
  id: string,
  { until, send }: Pick<Peer, 'until' | 'send'>,
): Running & { push(message: Message): void } {
  const messages: Message[] = [];
  let read = 0;
  const ending = ({ type }: Message) => type === 'complete' || type === 'error';
  const running = {
    id,
    messages,
    push: (message: Message) => void messages.push(message),
    get types() {
      return messages.map(({ type }) => type);
    },
    async event() {
      const message = await until('an event comes', () => messages[read]);
      read += 1;
      return dataOf(message);
    },
    async events(count: number) {
      await until(`${count} events come`, () => messages.length >= count || messages.find(ending));
      const events = messages.map(dataOf);
      demand(events.length >= count, `${count} events come; got ${events.length}`);
      return events;
    },
    ended: () => until('the operation ends', () => messages.find(ending)),
    async refused() {
      const message = await until('the operation is refused', () => messages[0]);
      demand(message.type === 'error', `an error message comes; got ${short(message)}`);
      return message.payload;
    },
    async result() {
      await running.ended();
      const [first] = messages;
      demand(
        first && running.types.join() === 'next,complete',
        `one next and then complete come; got ${short(messages)}`,
      );
      return dataOf(first);
    },
    complete: () => send({ id, type: 'complete' }),
  };
  return running;
}
