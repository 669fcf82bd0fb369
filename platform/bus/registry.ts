import type { Log } from '../log.js';
import type { AnyConsumer, Bus } from './bus.js';
import { type Contract, type Event, type Message, parseMessage } from './event.js';

/** Who consumes and who listens: the part of a bus that does not depend on what carries it. */
export interface Registry extends Pick<Bus, 'consume' | 'listen'> {
  readonly consumers: readonly AnyConsumer[];
  /** The topics that somebody listens to. */
  heard(): string[];
  /** From now on nobody can begin to consume. */
  close(): void;
  /** Tells the listeners of its topic; what cannot be read is left out, since its consumers put it aside. */
  ring(message: Message): void;
}

export function createRegistry(log: Log): Registry {
  const consumers: AnyConsumer[] = [];
  const listeners: { contract: Contract<unknown>; onEvent: (event: Event<unknown>) => void }[] = [];
  let closed = false;
  return {
    consumers,
    consume(consumer) {
      const { group, contract } = consumer;
      if (closed) throw new Error('the bus has been started: consumers come before');
      if (consumers.some((other) => other.group === group && other.contract.topic === contract.topic))
        throw new Error(`group ${group} has a consumer of ${contract.topic} already`);
      consumers.push(consumer);
    },
    listen: (contract, onEvent) =>
      void listeners.push({
        contract: contract as Contract<unknown>,
        onEvent: onEvent as (event: Event<unknown>) => void,
      }),
    heard: () => [...new Set(listeners.map(({ contract }) => contract.topic))],
    close() {
      closed = true;
    },
    ring(message) {
      for (const { contract, onEvent } of listeners) {
        if (contract.topic !== message.topic) continue;
        const event = parseMessage(contract, message);
        if (typeof event === 'string') continue;
        try {
          onEvent(event);
        } catch (error) {
          // The message is safe by now: a listener must not make it look unpublished.
          log.error({ topic: message.topic, err: error }, 'a listener failed');
        }
      }
    },
  };
}
