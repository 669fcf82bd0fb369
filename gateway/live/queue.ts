/** Events on their way from one writer to one reader, in order. */
export interface EventQueue<T> {
  push(value: T): void;
  /** Ends the queue once what it holds has been read; reading then throws `error`, where there is one. */
  end(error?: Error): void;
  /** Forgets what it holds and ends at once, a read that is waiting included. */
  close(): void;
  /** The next event; only one read at a time. */
  next(): Promise<IteratorResult<T, undefined>>;
}

const finished = { done: true, value: undefined } as const;

/** A queue of at most `limit` events; one more closes it and calls `onOverflow`, once. */
export function eventQueue<T>(limit: number, onOverflow: () => void): EventQueue<T> {
  let held: T[] = [];
  let ended: { error?: Error } | undefined;
  let wake: (() => void) | undefined;

  function end(how: { error?: Error }): void {
    ended ??= how;
    wake?.();
  }

  function close(): void {
    held = [];
    ended = {};
    wake?.();
  }

  return {
    push(value) {
      if (ended) return;
      if (held.length >= limit) {
        close();
        onOverflow();
        return;
      }
      held.push(value);
      wake?.();
    },
    end: (error) => end(error === undefined ? {} : { error }),
    close,
    async next() {
      if (held.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = undefined;
      }
      if (held.length > 0) return { done: false, value: held.shift() as T };
      if (!ended?.error) return finished;
      const { error } = ended;
      ended = {};
      throw error;
    },
  };
}
