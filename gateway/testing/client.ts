import { WebSocket } from 'ws';

interface Message {
  id?: string;
  type: string;
  // The shape depends on the message; tests compare it as a whole.
  payload?: unknown;
}

/** A graphql-transport-ws client that hides nothing: messages are queued as they come, so that none is missed. */
export interface SocketClient {
  send(message: Message): void;
  /** Sends a text as it is. */
  write(text: string): void;
  subscribe(id: string, query: string, variables?: Record<string, unknown>): void;
  /** The next message; throws where the socket closes instead. */
  next(): Promise<Message>;
  /** How the socket was closed, once it was. */
  closed: Promise<{ code: number; reason: string }>;
  close(): void;
  /** Goes without a word. */
  cut(): void;
  /** Stops reading from the network, as a client does that is too slow. */
  pause(): void;
  resume(): void;
}

/** Opens a socket and, unless `init` is null, waits for the acknowledgement. */
export async function openSocket(
  url: string,
  init: Record<string, unknown> | null = {},
): Promise<SocketClient> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const messages: Message[] = [];
  let wake = () => {};
  let over = false;
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => {
      over = true;
      resolve({ code, reason: String(reason) });
      wake();
    });
  });
  socket.on('message', (data) => {
    messages.push(JSON.parse(String(data)) as Message);
    wake();
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));

  const client: SocketClient = {
    send: (message) => socket.send(JSON.stringify(message)),
    write: (text) => socket.send(text),
    subscribe: (id, query, variables) =>
      client.send({ id, type: 'subscribe', payload: { query, ...(variables && { variables }) } }),
    async next() {
      while (messages.length === 0) {
        if (over) throw new Error(`closed: ${JSON.stringify(await closed)}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return messages.shift() as Message;
    },
    closed,
    close: () => socket.close(1000),
    cut: () => socket.terminate(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
  if (init) {
    client.send({ type: 'connection_init', payload: init });
    const message = await client.next();
    if (message.type !== 'connection_ack') throw new Error(`no connection_ack but ${message.type}`);
  }
  return client;
}
