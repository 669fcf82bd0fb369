import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../platform/log.js';
import { metrics } from '../platform/metrics.js';

const lookEveryMs = 250;

export interface SupergraphWatch {
  /** Looks no more; waits for a swap that is under way. */
  stop(): Promise<void>;
}

/**
 * Swaps in what a supergraph file comes to hold. The file is looked at by its path four times a second, since
 * notifications follow an inode: they miss what an editor renames into its place and where Kubernetes points a
 * link, and network file systems have none. What two looks in a row see unchanged is read, so that a file that is
 * being written is rarely taken for a whole one. One that is gone, or is refused, leaves what is served as it is,
 * and is told of once.
 */
export function watchSupergraph(options: {
  path: string;
  /** What was read from it at the start. */
  served: string;
  /** @throws Error where it cannot be served */
  swap: (sdl: string) => Promise<void>;
  log: Log;
}): SupergraphWatch {
  const { path, swap } = options;
  const log = options.log.child({ service: 'gateway', path });
  const stopped = new AbortController();
  let served = hashOf(options.served);
  /** The content that was refused, or why there was none. */
  let trouble: string | undefined;
  let lastSeen: string | undefined;
  let dealtWith: string | undefined;

  async function look(): Promise<void> {
    const seen = await stateOf(path);
    const isSettled = seen === lastSeen;
    lastSeen = seen;
    if (!isSettled || seen === dealtWith) return;
    let sdl: string;
    try {
      sdl = await readFile(path, 'utf8');
    } catch (error) {
      dealtWith = seen;
      missing((error as NodeJS.ErrnoException).code ?? String(error));
      return;
    }
    // Written meanwhile: this may be half of it.
    if ((await stateOf(path)) !== seen) return;
    dealtWith = seen;
    await take(sdl);
  }

  function missing(code: string): void {
    trouble = code;
    log.warn({ code }, 'the supergraph file cannot be read: the supergraph that is served stays');
  }

  async function take(sdl: string): Promise<void> {
    const hash = hashOf(sdl);
    if (hash === served) {
      if (trouble !== undefined) log.info('the supergraph file holds what is served again');
      trouble = undefined;
      return;
    }
    if (hash === trouble) return;
    try {
      await swap(sdl);
    } catch (error) {
      trouble = hash;
      metrics.supergraphChanges.inc({ result: 'refused' });
      const reason = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ');
      log.error({ sha256: hash, reason }, 'a new supergraph is refused: the one that is served stays');
      return;
    }
    served = hash;
    trouble = undefined;
    metrics.supergraphChanges.inc({ result: 'served' });
    log.info({ sha256: hash }, 'a new supergraph is served');
  }

  async function watch(): Promise<void> {
    const { signal } = stopped;
    while (!signal.aborted) {
      await look().catch((err: unknown) => log.error({ err }, 'the supergraph file could not be looked at'));
      await sleep(lookEveryMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  for (const result of ['served', 'refused'] as const) metrics.supergraphChanges.inc({ result }, 0);
  const watching = watch();
  return {
    stop() {
      stopped.abort();
      return watching;
    },
  };
}

/** Differs whenever the file is another, or was written to; whatever keeps it from being looked at is a state too. */
async function stateOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

const hashOf = (sdl: string): string => createHash('sha256').update(sdl).digest('hex').slice(0, 12);
