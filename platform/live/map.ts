const done = { done: true, value: undefined } as const;

/** What a source brings, mapped. */
export interface MappedEvents<R> extends AsyncIterableIterator<R> {
  /** Ends it at once: the read that waits, or the next one, throws this. */
  fail(error: Error): void;
}

/**
 * Maps what a source brings, one after the other. `onEnd` is called once, when either side is through;
 * the source is released then, also while a read waits for it.
 */
export function mapEvents<T, R>(
  source: AsyncIterableIterator<T>,
  options: { map: (event: T) => Promise<R>; onEnd: () => void },
): MappedEvents<R> {
  let over = false;
  let failure: Error | undefined;
  const end = async () => {
    if (over) return;
    over = true;
    options.onEnd();
    await source.return?.();
  };
  /** @throws what it was ended with, once */
  const check = () => {
    const error = failure;
    failure = undefined;
    if (error) throw error;
  };
  const mapped: MappedEvents<R> = {
    async next() {
      try {
        check();
        const event = await source.next();
        if (!event.done) {
          const value = await options.map(event.value);
          if (!over) return { done: false, value };
        }
        check();
      } catch (error) {
        await end();
        throw error;
      }
      await end();
      return done;
    },
    fail(error) {
      if (over) return;
      failure = error;
      // A source that cannot be left breaks nothing: it is not read any more.
      end().catch(() => undefined);
    },
    async return() {
      await end();
      return done;
    },
    async throw(error: unknown) {
      await end();
      throw error;
    },
    [Symbol.asyncIterator]: () => mapped,
  };
  return mapped;
}
