import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
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
    async close() {
      for (const end of ends) end.destroy();
      await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
      server = undefined;
    },
  };
}
