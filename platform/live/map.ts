const done = { done: true, value: undefined } as const;

/** So many events may be under way at once, or wait for who reads them. */
const mostAhead = 8;

/**
 * Maps what a source brings, in its order; while one is being mapped, those that are there already are begun. (Who has
 * fallen behind would otherwise catch up no faster than one event after the other can be had.) `onEnd` is called once,
 * when either side is through; the source is released then, also while a read waits for it.
 */
export function mapEvents<T, R>(
  source: AsyncIterableIterator<T>,
  options: { map: (event: T) => Promise<R>; onEnd: () => void },
): AsyncIterableIterator<R> {
  /** In order: those that are mapped, or being so, and the one that waits for the source. */
  const results: Promise<IteratorResult<R>>[] = [];
  let isReading = false;
  let over = false;
  const end = async () => {
    if (over) return;
    over = true;
    options.onEnd();
    await source.return?.();
  };

  function readAhead(): void {
    if (over || isReading || results.length >= mostAhead) return;
    isReading = true;
    const result = take();
    // Whoever comes for it hears of it.
    result.catch(() => undefined);
    results.push(result);
  }
  async function take(): Promise<IteratorResult<R>> {
    const event = await source.next();
    isReading = false;
    if (event.done || over) return done;
    const mapped = options.map(event.value);
    readAhead();
    return { done: false, value: await mapped };
  }

  const mapped: AsyncIterableIterator<R> = {
    async next() {
      readAhead();
      const first = results.shift();
      readAhead();
      try {
        const result = await first;
        if (result && !result.done && !over) return result;
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
