import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';

/**
 * Watches, in the file that calls it, for promises whose rejection nobody hears of, which would end a process.
 * Answers how many there were while `work` ran; vitest, who fails at each otherwise, is not told.
 */
export function watchRejections(): <T>(work: () => Promise<T>) => Promise<{ value: T; unheard: number }> {
  let unheard = 0;
  const count = () => {
    unheard += 1;
  };
  let others: NodeJS.UnhandledRejectionListener[] = [];
  beforeAll(() => {
    others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', count);
  });
  afterAll(() => {
    process.off('unhandledRejection', count);
    for (const other of others) process.on('unhandledRejection', other);
  });
  return async (work) => {
    await turn();
    unheard = 0;
    const value = await work();
    await turn();
    return { value, unheard };
  };
}
