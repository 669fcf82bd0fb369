import { setTimeout as delay } from 'node:timers/promises';

/** Looks again and again until there is something to see; rejects, naming it, when there is nothing in `ms`. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  ms = 20_000,
): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await delay(25);
  }
}
