import { setTimeout as delay } from 'node:timers/promises';

/**
 * Does something so many times, so often a second, by the clock: what is late does not make the rest later. Answers
 * what it gave each time.
 */
export async function atRate<T>(perSecond: number, times: number, work: () => Promise<T>): Promise<T[]> {
  const began = performance.now();
  const all: Promise<T>[] = [];
  for (let n = 0; n < times; n++) {
    const early = began + (n * 1000) / perSecond - performance.now();
    if (early > 0) await delay(early);
    all.push(work());
  }
  return Promise.all(all);
}
