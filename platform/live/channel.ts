/** An async iterator that is filled from outside. One reader; `next`, `return` and `throw`, as graphql-ws needs. */
export interface Channel<T> extends AsyncIterableIterator<T> {
  /** So many values wait to be read. */
  readonly size: number;
  push(value: T): void;
  /** Ends after what is queued has been read; with an error, the read after that throws it. */
  end(error?: Error): void;
}

/**
 * `onClose` is called once, when either side is through with it. `limit` values may wait; one more ends it with
 * `overflow()`. `onTake` is called when one of those that waited is read.
 */
export function createChannel<T>(options: {
  onClose: () => void;
  limit: number;
  overflow: () => Error;
  onTake?: () => void;
}): Channel<T> {
  const queue: T[] = [];
  let ended: { error?: Error } | undefined;
  let reader: { resolve: (result: IteratorResult<T>) => void; reject: (error: Error) => void } | undefined;

  function end(error?: Error): void {
    if (ended) return;
    ended = error ? { error } : {};
    options.onClose();
    if (!reader) return;
    const { resolve, reject } = reader;
    reader = undefined;
    if (error) {
      ended = {};
      reject(error);
    } else resolve({ done: true, value: undefined });
  }

  const channel: Channel<T> = {
    get size() {
      return queue.length;
    },
    push(value) {
      if (ended) return;
      if (reader) {
        const { resolve } = reader;
        reader = undefined;
        resolve({ done: false, value });
      } else if (queue.length >= options.limit) end(options.overflow());
      else queue.push(value);
    },
    end,
    async next() {
      const value = queue.shift();
      if (value !== undefined) {
        options.onTake?.();
        return { done: false, value };
      }
      if (ended?.error) {
        const { error } = ended;
        ended = {};
        throw error;
      }
      if (ended) return { done: true, value: undefined };
      return new Promise((resolve, reject) => {
        reader = { resolve, reject };
      });
    },
    async return() {
      queue.length = 0;
      end();
      ended = {};
      return { done: true, value: undefined };
    },
    async throw(error: unknown) {
      queue.length = 0;
      end();
      throw error;
    },
    [Symbol.asyncIterator]: () => channel,
  };
  return channel;
}
