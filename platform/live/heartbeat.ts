import type { WebSocket } from 'ws';

/**
 * Pings sockets at an interval, all by one timer, and cuts off the one that has not answered by the next ping: its
 * peer is gone without a word. The answer takes a socket that is watched and gives what ends that.
 */
export function createHeartbeat(everyMs: number): (socket: WebSocket) => () => void {
  const watched = new Set<WebSocket>();
  const answered = new WeakSet<WebSocket>();
  let timer: NodeJS.Timeout | undefined;

  function onPong(this: WebSocket): void {
    answered.add(this);
  }
  function beat(): void {
    for (const socket of watched) {
      if (!answered.delete(socket)) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.ping();
    }
  }

  return (socket) => {
    watched.add(socket);
    answered.add(socket);
    socket.on('pong', onPong);
    timer ??= setInterval(beat, everyMs);
    return () => {
      watched.delete(socket);
      if (watched.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  };
}
