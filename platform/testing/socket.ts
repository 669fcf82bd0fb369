import { once } from 'node:events';
import { WebSocket } from 'ws';

interface SocketMessage {
  id?: string;
  type: string;
  payload?: unknown;
}

/** A graphql-transport-ws client that hides nothing; messages are queued as they come, so that none is missed. */
export interface TestSocket {
  send(message: SocketMessage): void;
  /** Sends a text that need not be a message, nor a text. */
  write(bytes: Buffer): void;
  /** Starts an operation; its `extensions` may carry an authorization. */
  subscribe(id: string, payload: Record<string, unknown>): void;
  /** The next message. Rejects where the socket closes instead. */
  next(): Promise<SocketMessage>;
  readonly closed: Promise<{ code: number; reason: string }>;
  close(): void;
}

/** Opens a socket, and sends connection_init with this payload unless it is null; does not wait for the answer. */
export async function openSocket(
  url: string,
  init: Record<string, unknown> | null = {},
): Promise<TestSocket> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws');
  const messages: SocketMessage[] = [];
  const waiting: (() => void)[] = [];
  const wake = () => {
    for (const resume of waiting.splice(0)) resume();
  };
  let over: { code: number; reason: string } | undefined;
  const closed = once(socket, 'close').then(([code, reason]) => {
    over = { code: Number(code), reason: String(reason) };
    wake();
    return over;
  });
  socket.on('message', (data) => {
    messages.push(JSON.parse(String(data)) as SocketMessage);
    wake();
  });
  await once(socket, 'open');
  const send = (message: SocketMessage) => socket.send(JSON.stringify(message));
  if (init) send({ type: 'connection_init', payload: init });
  return {
    send,
    write: (bytes) => socket.send(bytes, { binary: false }),
    subscribe: (id, payload) => send({ id, type: 'subscribe', payload }),
    async next() {
      while (messages.length === 0) {
        if (over) throw new Error(`closed: ${JSON.stringify(over)}`);
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      return messages.shift() as SocketMessage;
    },
    closed,
    close: () => socket.close(1000),
  };
}
