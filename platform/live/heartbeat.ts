import type { WebSocket } from 'ws';

/** So many times an interval some of the sockets are pinged: all at once would keep everything else waiting. */
const parts = 12;

/**
 * Pings sockets at an interval, all by one timer, and cuts off the one that has not answered by the next ping: its
 * peer is gone without a word. The answer takes a socket that is watched and gives what ends that.
 */
export function createHeartbeat(everyMs: number): (socket: WebSocket) => () => void {
  const watched = Array.from({ length: parts }, () => new Set<WebSocket>());
  const answered = new WeakSet<WebSocket>();
  let timer: NodeJS.Timeout | undefined;
  let count = 0;
  let lastPart = 0;
  let beats = 0;

  function onPong(this: WebSocket): void {
    answered.add(this);
  }
  function beat(): void {
    beats = (beats + 1) % parts;
    for (const socket of watched[beats] ?? []) {
      if (!answered.delete(socket)) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.ping();
    }
  }

  return (socket) => {
    lastPart = (lastPart + 1) % parts;
    const part = watched[lastPart] as Set<WebSocket>;
    part.add(socket);
    count += 1;
    answered.add(socket);
    socket.on('pong', onPong);
    timer ??= setInterval(beat, everyMs / parts);
    return () => {
      if (!part.delete(socket)) return;
      count -= 1;
      if (count > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  };
}
