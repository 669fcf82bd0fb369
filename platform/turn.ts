let end: Promise<void> | undefined;

/**
 * Resolves when all that has come in by now has been read, and what it leads to has been computed. Who writes to
 * sockets only then writes with all others who wait: the processes that are written to wake up once for all of it
 * and not for each, which takes a quarter of the gateway's CPU (docs/performance.md). Nothing waits for what is
 * still to come.
 */
export function endOfTurn(): Promise<void> {
  end ??= new Promise((resolve) => {
    setImmediate(() => {
      end = undefined;
      resolve();
    });
  });
  return end;
}
