/**
 * Says that nobody waits any more, to whoever asked to be told. An AbortController does the same at ten times
 * the cost, and every request has one of these.
 */
export class Cancellation {
  isCancelled = false;
  readonly #listeners = new Set<() => void>();

  /** Calls `listener` once it is cancelled; at once where it is already. */
  add(listener: () => void): void {
    if (this.isCancelled) listener();
    else this.#listeners.add(listener);
  }

  delete(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  cancel(): void {
    this.isCancelled = true;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}
