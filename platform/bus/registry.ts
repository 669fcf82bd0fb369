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
  /** Tells all listeners that they may have missed something. */
  gap(): void;
}

interface Listener {
  contract: Contract<unknown>;
  onEvent: (event: Event<unknown>) => void;
  onGap: () => void;
}

export function createRegistry(log: Log): Registry {
  const consumers: AnyConsumer[] = [];
  const listeners: Listener[] = [];
  let closed = false;

  /** What was heard is safe by now: a listener that fails must not make it look unpublished. */
  function tell(topic: string, listener: () => void): void {
    try {
      listener();
    } catch (error) {
      log.error({ topic, err: error }, 'a listener failed');
    }
  }

  return {
    consumers,
    consume(consumer) {
      const { group, contract } = consumer;
      if (closed) throw new Error('the bus has been started: consumers come before');
      if (consumers.some((other) => other.group === group && other.contract.topic === contract.topic))
        throw new Error(`group ${group} has a consumer of ${contract.topic} already`);
      consumers.push(consumer);
    },
    listen: (contract, onEvent, onGap = () => {}) =>
      void listeners.push({
        contract: contract as Contract<unknown>,
        onEvent: onEvent as (event: Event<unknown>) => void,
        onGap,
      }),
    heard: () => [...new Set(listeners.map(({ contract }) => contract.topic))],
    close() {
      closed = true;
    },
    ring(message) {
      for (const { contract, onEvent } of listeners) {
        if (contract.topic !== message.topic) continue;
        const event = parseMessage(contract, message);
        if (typeof event !== 'string') tell(message.topic, () => onEvent(event));
      }
    },
    gap() {
      for (const { contract, onGap } of listeners) tell(contract.topic, onGap);
    },
  };
}
