/**
 * Says that nobody waits any more, to whoever asked to be told. An AbortController does the same at ten times
 * the cost, and every request has one of these.
 */
export class Cancellation {
  isCancelled = false;
  /** Made for the first: most have none, and many just one at a time. */
  #listeners: Set<() => void> | undefined;

  /** Calls `listener` once it is cancelled; at once where it is already. */
  add(listener: () => void): void {
    if (this.isCancelled) {
      listener();
      return;
    }
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
  }

  delete(listener: () => void): void {
    this.#listeners?.delete(listener);
  }

  cancel(): void {
    this.isCancelled = true;
    const listeners = this.#listeners ?? [];
    this.#listeners = undefined;
    for (const listener of listeners) listener();
  }
}
