/** Events for the subscriptions of a test's subgraph; every subscriber gets each that comes while it listens. */
export interface Channel<T> {
  push(event: T): void;
  end(): void;
  fail(error: Error): void;
  /** How many listen now. */
  listeners(): number;
  subscribe(): AsyncIterableIterator<T>;
}

type Step<T> = { event: T } | { end: Error | null };

export function channel<T>(): Channel<T> {
  const listeners = new Set<(step: Step<T>) => void>();
  const tell = (step: Step<T>) => {
    for (const listener of [...listeners]) listener(step);
  };
  return {
    push: (event) => tell({ event }),
    end: () => tell({ end: null }),
    fail: (error) => tell({ end: error }),
    listeners: () => listeners.size,
    subscribe() {
      const steps: Step<T>[] = [];
      let wake: (() => void) | undefined;
      const listen = (step: Step<T>) => {
        steps.push(step);
        wake?.();
      };
      listeners.add(listen);
      const stop = async (): Promise<IteratorResult<T>> => {
        listeners.delete(listen);
        listen({ end: null });
        return { done: true, value: undefined };
      };
      return {
        async next() {
          while (steps.length === 0) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
          const step = steps.shift() as Step<T>;
          if ('event' in step) return { done: false, value: step.event };
          await stop();
          if (step.end) throw step.end;
          return { done: true, value: undefined };
        },
        return: stop,
        async throw(error) {
          await stop();
          throw error;
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
  };
}
