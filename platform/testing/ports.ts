import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Below the ports that systems give to whoever asks for any, and to outgoing connections; fetch refuses 10080. */
const lowest = 10_081;
const highest = 32_000;

/**
 * A port of 127.0.0.1 that nobody listens on. One that the system gives could be given to somebody else, too, until
 * it is used.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest);
    if (await canListen(port)) return port;
  }
}

function canListen(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/**
 * Whether nobody listens on a port of 127.0.0.1. Not by fetch, which waits for ever when a server that closes
 * cuts a connection before undici has written on it.
 */
export function refuses(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
  }).finally(() => socket.destroy());
}

/** A port of 127.0.0.1 that refuses connections while it is closed, and leads to another one while it is open. */
export interface Passage {
  port: number;
  open(to: number): Promise<void>;
  /** Passes nothing on any more, and breaks nothing off. */
  hold(): void;
  /** Breaks off what goes through it. */
  close(): Promise<void>;
}

export async function passage(): Promise<Passage> {
  const port = await freePort();
  const ends = new Set<Socket>();
  let server: Server | undefined;
  return {
    port,
    async open(to) {
      server = createServer((near) => {
        const far = connect(to, '127.0.0.1');
        for (const [end, other] of [
          [near, far],
          [far, near],
        ] as const) {
          ends.add(end);
          end.on('error', () => other.destroy());
          end.on('close', () => {
            ends.delete(end);
            other.destroy();
          });
          end.pipe(other);
        }
      });
      await once(server.listen(port, '127.0.0.1'), 'listening');
    },
    hold() {
      for (const end of ends) end.unpipe().pause();
    },
    async close() {
      for (const end of ends) end.destroy();
      await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
      server = undefined;
    },
  };
}
