import type { Child } from '../gateway/child.js';

/** A child of children/ that does what it is told. */
export interface Worker {
  child: Child;
  /** @throws Error where the child does, or ends */
  ask<T>(order: object): Promise<T>;
  /** What it tells without being asked; whoever listens last hears it. */
  onNote(listener: (note: number) => void): void;
}

interface Told {
  id: number;
  order: object;
}
type Answer = { id: number; result?: unknown; error?: string } | { note: number };

export function workerOf(child: Child): Worker {
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  let last = 0;
  let listener = (_note: number): void => undefined;
  child.process.on('message', (answer: Answer) => {
    if ('note' in answer) return listener(answer.note);
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) asked?.resolve(answer.result as never);
    else asked?.reject(new Error(`${child.name}: ${answer.error}`));
  });
  void child.ended.then((how) => {
    for (const { reject } of waiting.values())
      reject(new Error(`${child.name} ended with ${how}:\n${child.output()}`));
  });
  return {
    child,
    ask: (order) =>
      new Promise((resolve, reject) => {
        const id = ++last;
        waiting.set(id, { resolve, reject });
        child.process.send({ id, order } satisfies Told);
      }),
    onNote(next) {
      listener = next;
    },
  };
}

/** The child's side: does what it is told, one or several at a time, and ends with whoever tells. */
export function obey<O extends object>(handle: (order: O) => unknown): void {
  process.on('message', ({ id, order }: Told) => {
    Promise.resolve()
      .then(() => handle(order as O))
      .then(
        (result) => process.send?.({ id, result } satisfies Answer),
        (error: unknown) =>
          process.send?.({ id, error: error instanceof Error ? error.message : String(error) }),
      );
  });
  process.on('disconnect', () => process.exit());
}

export const note = (value: number): void => void process.send?.({ note: value } satisfies Answer);
