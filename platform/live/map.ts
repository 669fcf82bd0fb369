const done = { done: true, value: undefined } as const;

/**
 * Maps what a source brings, one after the other. `onEnd` is called once, when either side is through;
 * the source is released then, also while a read waits for it.
 */
export function mapEvents<T, R>(
  source: AsyncIterableIterator<T>,
  options: { map: (event: T) => Promise<R>; onEnd: () => void },
): AsyncIterableIterator<R> {
  let over = false;
  const end = async () => {
    if (over) return;
    over = true;
    options.onEnd();
    await source.return?.();
  };
  const mapped: AsyncIterableIterator<R> = {
    async next() {
      try {
        const event = await source.next();
        if (!event.done) {
          const value = await options.map(event.value);
          if (!over) return { done: false, value };
        }
      } catch (error) {
        await end();
        throw error;
      }
      await end();
      return done;
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
