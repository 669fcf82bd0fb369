import { setTimeout as delay } from 'node:timers/promises';

export interface Bell {
  ring(): void;
  /** Resolves on a ring or after `ms`; a ring while nobody waited counts for the next wait. */
  wait(ms: number): Promise<void>;
}

/** What wakes a loop before its poll is due. One loop waits on one bell. */
export function createBell(): Bell {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      wake?.();
    },
    async wait(ms) {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      wake = undefined;
      rung = false;
    },
  };
}

/** Waits `ms`, or until the signal aborts; never throws. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal }).catch(() => undefined);
