import type { Principal } from './principal.js';
import type { Rights } from './rights.js';

/** setTimeout takes no more than this many ms. */
const longestTimer = 2 ** 31 - 1;

/** Calls `act`, with the reason, when the token of a principal is good no more; the answer calls that off. */
export function whenTokenEnds(principal: Principal, rights: Rights, act: (why: string) => void): () => void {
  const stopExpiry = whenExpired(principal, () => act('the access token has expired'));
  const stopWatching = rights.whenOver(principal, () => {
    stopExpiry();
    act('what you may do has changed');
  });
  return () => {
    stopExpiry();
    stopWatching();
  };
}

function whenExpired({ expiresAt }: Principal, act: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const left = Math.min(Math.max(expiresAt - Date.now(), 0), longestTimer);
    timer = setTimeout(() => (expiresAt > Date.now() ? wait() : act()), left);
  };
  wait();
  return () => clearTimeout(timer);
}
