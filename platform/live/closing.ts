import type { WebSocket } from 'ws';

/** How long a client may take to read what is left for it, once it is closed. */
export const closingMs = 10_000;

/** Closes a socket, and cuts off a client that does not answer. */
export function closeSocket(
  client: WebSocket,
  code: number,
  reason: string,
  withinMs = closingMs,
): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => client.terminate(), withinMs);
    client.once('close', () => {
      clearTimeout(cut);
      resolve();
    });
    client.close(code, reason);
  });
}
