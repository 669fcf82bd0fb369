import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/**
 * One port of 127.0.0.1 before several replicas, as a Service of Kubernetes has it: each new connection goes to one
 * of those that are in rotation, at random, and to the next one where that refuses.
 */
export interface Balancer {
  port: number;
  /** The ports that connections go to. */
  replicas: Set<number>;
  /** Breaks off what goes through it; each connection with this probability. Answers how many. */
  cut(probability?: number): number;
  close(): Promise<void>;
}

/** @param random a number from 0 to 1 */
export async function startBalancer(
  replicas: Iterable<number>,
  random: () => number = Math.random,
): Promise<Balancer> {
  const inRotation = new Set(replicas);
  const open = new Map<Socket, () => void>();

  const server = createServer({ pauseOnConnect: true }, (near) => {
    const left = [...inRotation];
    let far: Socket | undefined;
    const end = (): void => {
      open.delete(near);
      near.destroy();
      far?.destroy();
    };
    open.set(near, end);
    near.on('error', end).on('close', end);

    function tryNext(): void {
      const [port] = left.splice(Math.floor(random() * left.length), 1);
      if (port === undefined || near.destroyed) return void end();
      const socket = connect(port, '127.0.0.1');
      far = socket;
      socket.once('error', tryNext);
      socket.once('connect', () => {
        if (near.destroyed) return void end();
        socket.off('error', tryNext).on('error', end).on('close', end);
        near.pipe(socket).pipe(near);
      });
    }
    tryNext();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    replicas: inRotation,
    cut(probability = 1) {
      const chosen = [...open.values()].filter(() => random() < probability);
      for (const end of chosen) end();
      return chosen.length;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const end of [...open.values()]) end();
      await closed;
    },
  };
}
