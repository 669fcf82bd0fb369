import { isOutage } from '../postgres/errors.js';
import type { Consumer } from './bus.js';
import { type Event, type Message, parseMessage } from './event.js';

/**
 * What became of a message:
 * - `done`: handled
 * - `later`: nothing is wrong with it; an outage, or an earlier message of its key that waits
 * - `failed`: it failed by its own fault; counts as an attempt
 * - `unreadable`: it will never parse; put aside at once
 */
export type Outcome =
  | { kind: 'done' }
  | { kind: 'later' }
  | { kind: 'failed'; reason: string }
  | { kind: 'unreadable'; reason: string };

/**
 * Hands a batch of one topic to its consumer. When the batch fails it is taken apart and handled one
 * by one, so that a poisoned event does not take its neighbours along; what follows a failed event
 * of the same key waits for it.
 */
export async function processBatch<T>(consumer: Consumer<T>, messages: Message[]): Promise<Outcome[]> {
  const parsed = messages.map((message) => parseMessage(consumer.contract, message));
  const readable = parsed.filter((event): event is Event<T> => typeof event !== 'string');
  const alone = readable.length <= 1;
  if (!alone) {
    try {
      await consumer.handle(readable);
      return parsed.map(readOutcome);
    } catch (error) {
      if (isOutage(error))
        return parsed.map((event) => (typeof event === 'string' ? readOutcome(event) : { kind: 'later' }));
    }
  }
  const waiting = new Set<string>();
  const outcomes: Outcome[] = [];
  let outage = false;
  for (const [index, event] of parsed.entries()) {
    const key = messages[index]?.key ?? '';
    if (typeof event === 'string') outcomes.push(readOutcome(event));
    else if (outage || waiting.has(key)) outcomes.push({ kind: 'later' });
    else {
      const outcome = await handleOne(consumer, event);
      outage = outcome.kind === 'later';
      if (outcome.kind === 'failed') waiting.add(key);
      outcomes.push(outcome);
    }
  }
  return outcomes;
}

async function handleOne<T>(consumer: Consumer<T>, event: Event<T>): Promise<Outcome> {
  try {
    await consumer.handle([event]);
    return { kind: 'done' };
  } catch (error) {
    if (isOutage(error)) return { kind: 'later' };
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

const readOutcome = (event: unknown): Outcome =>
  typeof event === 'string' ? { kind: 'unreadable', reason: event } : { kind: 'done' };
