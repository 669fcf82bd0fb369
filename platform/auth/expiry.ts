import type { Principal } from './principal.js';

/** setTimeout takes no more than this many ms. */
const longestTimer = 2 ** 31 - 1;

/** Calls `act` when the token of a principal has expired; the answer calls that off. */
export function whenExpired({ expiresAt }: Principal, act: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const left = Math.min(Math.max(expiresAt - Date.now(), 0), longestTimer);
    timer = setTimeout(() => (expiresAt > Date.now() ? wait() : act()), left);
  };
  wait();
  return () => clearTimeout(timer);
}
