import type { Server } from 'node:http';
import { Server as Listener, type Socket } from 'node:net';
import { setImmediate as afterReading, setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

export interface ClosingOptions {
  /**
   * How long a server that closes goes on as ever, in ms, 0 unless told: it is not ready then, so that whoever
   * asks turns away by himself. No time at all when nobody is connected.
   */
  lameDuckMs?: number | undefined;
  /** Closes what connections have been upgraded to; called once the time above is over. */
  closeSockets?: () => Promise<void>;
}

/** So long is a moment looked for in which the listener can be closed without dropping anyone, in ms. */
const quietWithinMs = 200;

/**
 * Makes `close` lose no request. HTTP/1.1 has no way to say "no more" on a connection that nothing runs on: what
 * a client writes while it is being closed is lost, and a mutation cannot be tried again. So when the listener
 * is closed, connections are ended by an answer that says so, and only those that have no more to give, in a
 * third of `lameDuckMs`, are cut. Not before: who was told so earlier would come back at once, through the
 * listener, which drops who is on his way when it closes.
 */
export function closeGently(app: FastifyInstance, options: ClosingOptions): void {
  const { lameDuckMs = 0, closeSockets } = options;
  const connections = watchConnections(app.server);
  let phase: 'open' | 'lame duck' | 'closing' = 'open';
  app.addHook('preClose', async () => {
    phase = 'lame duck';
    if (connections.any()) await delay(lameDuckMs);
    await connections.quiet();
    phase = 'closing';
    // As HTTP servers do it, what has no request yet would be cut at once.
    if (app.server.listening) Listener.prototype.close.call(app.server);
    await Promise.all([closeSockets?.(), connections.gone(lameDuckMs / 3)]);
    // What has reached this machine has come, whether or not it has been read.
    await afterReading();
    connections.endUnused();
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    // Fastify says it as soon as closing begins, of requests that come after that; we, of all, and later.
    if (phase === 'lame duck') reply.raw.removeHeader('connection');
    if (phase === 'closing') void reply.header('connection', 'close');
    done();
  });
}

/**
 * Knows which connections carry no request, those that have not sent one yet included, which Node's
 * `closeIdleConnections` leaves open: browsers keep some in store.
 */
function watchConnections(server: Server) {
  const open = new Set<Socket>();
  /**
   * With how many bytes each had sent when its last request was answered: one that has sent more has begun
   * another, or asked for an upgrade. (To listen for that would keep node from answering those that nobody takes.)
   */
  const unused = new Map<Socket, number>();
  let onGone = (): void => {};
  let count = 0;
  let over = false;
  server.on('connection', (socket) => {
    // upgrades.ts gives a connection back as a new one.
    if (open.has(socket)) return;
    open.add(socket);
    count += 1;
    unused.set(socket, socket.bytesRead);
    socket.once('close', () => {
      unused.delete(socket);
      open.delete(socket);
      if (open.size === 0) onGone();
    });
  });
  server.on('request', ({ socket }, response) => {
    unused.delete(socket);
    response.once('close', () => {
      // What was told to stay, and answered to the end only now.
      if (over) socket.destroySoon();
      else if (!socket.destroyed) unused.set(socket, socket.bytesRead);
    });
  });
  return {
    any: (): boolean => open.size > 0,
    /**
     * Waits for a moment in which nobody connects: the kernel takes connections for a listener, and drops those
     * that have not been taken from it when that closes.
     */
    async quiet(): Promise<void> {
      const began = Date.now();
      for (let before = -1; before !== count && Date.now() - began < quietWithinMs; ) {
        before = count;
        await afterReading();
      }
    },
    /** Resolves when no connection is left, or after `ms`. */
    async gone(ms: number): Promise<void> {
      if (open.size === 0 || ms === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        onGone = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    /** Now, and from now on. */
    endUnused(): void {
      over = true;
      for (const [socket, bytes] of unused) if (socket.bytesRead === bytes) socket.destroy();
    },
  };
}
