import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';

/** A server that is told of the bytes of each connection, to answer them as it likes. */
export interface RawServer {
  port: number;
  /** The connections, in the order in which they came, those that have ended included. */
  connections: Socket[];
  stop(): Promise<void>;
}

/** `onBytes` gets what a connection sent, with all before it. */
export async function rawServer(
  onBytes: (all: string, socket: Socket) => void,
  serverOf: (onConnection: (socket: Socket) => void) => Server = createServer,
): Promise<RawServer> {
  const connections: Socket[] = [];
  const server = serverOf((socket) => {
    connections.push(socket);
    let all = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      all += bytes.toString('latin1');
      onBytes(all, socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    async stop() {
      for (const socket of connections) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
