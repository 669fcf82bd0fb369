import type { Bus, Lag } from '../../platform/bus/bus.js';
import { problem } from '../../platform/errors.js';
import type { Log } from '../../platform/log.js';
import type { DeadLetterRow } from './rows.js';

/** What staff is told of the bus. Each throws SERVICE_UNAVAILABLE where it does not answer. */
export interface BusReads {
  lag(): Promise<Lag[]>;
  countDeadLetters(): Promise<number>;
  /** Of a topic, or of all; oldest first. */
  deadLetters(topic?: string): Promise<DeadLetterRow[]>;
  replayDeadLetters(options: { topic?: string; first: number }): Promise<number>;
}

export function busReads(bus: Bus, log: Log): BusReads {
  async function answer<T>(asked: Promise<T>): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      log.warn({ err: error }, 'the event bus did not answer');
      throw problem('SERVICE_UNAVAILABLE', 'The event bus does not answer.');
    }
  }
  return {
    lag: () => answer(bus.lag()),
    countDeadLetters: () => answer(bus.countDeadLetters()),
    async deadLetters(topic) {
      const letters = await answer(bus.deadLetters(topic));
      return letters
        .map(({ id, key: _, ...letter }) => ({
          ...letter,
          // A bus names it within its group alone. The order of names is that of times.
          id: `${letter.at.toISOString()}/${letter.group}/${letter.topic}/${id}`,
        }))
        .toSorted((one, other) => (one.id < other.id ? -1 : 1));
    },
    replayDeadLetters: (options) => answer(bus.replayDeadLetters(options)),
  };
}
