import type { WebSocket } from 'ws';
import type { Message } from '../peer.js';

type Send = (message: Message | string) => void;
type Close = (code?: number, reason?: string) => void;

/** What stands between a socket and graphql-ws, to spoil what it does. Each is for one socket. */
export interface Spoiler {
  /** Gets what the client sends: `pass` hands something on to the server, `send` answers the client. */
  inbound?(message: Message, on: { pass: Send; send: Send; close: Close }, binary: boolean): void;
  /** Gets what the server sends. */
  outbound?(message: Message, on: { send: Send; sendBinary: Send }): void;
  /** Gets the server's closes, its answers to those of the client too. */
  closing?(code: number | undefined, on: { close: Close; cut: () => void; reason: string | undefined }): void;
}

const text = (message: Message | string): string =>
  typeof message === 'string' ? message : JSON.stringify(message);

function read(data: unknown): Message {
  try {
    const message = JSON.parse(String(data)) as Message | null;
    return message === null || typeof message !== 'object' ? { type: '' } : message;
  } catch {
    return { type: '' };
  }
}

/** Puts a spoiler before a socket of ws; graphql-ws must not have it yet. */
export function spoil(socket: WebSocket, { inbound, outbound, closing }: Spoiler): void {
  const plain = { emit: socket.emit.bind(socket), send: socket.send.bind(socket) as WebSocket['send'] };
  const close: Close = socket.close.bind(socket);
  const send: Send = (message) => plain.send(text(message), () => undefined);

  if (inbound) {
    socket.emit = (event, ...given) => {
      if (event !== 'message') return plain.emit(event, ...given);
      const [data, binary] = given as [Buffer, boolean];
      const pass: Send = (message) => void plain.emit('message', Buffer.from(text(message)), false);
      const message = read(data);
      // What is no message is none of a spoiler's.
      if (message.type === '' && !binary) return plain.emit(event, ...given);
      inbound(message, { pass, send, close: (code, reason) => socket.close(code, reason) }, binary);
      return true;
    };
  }
  if (outbound) {
    const sendBinary: Send = (message) => plain.send(Buffer.from(text(message)), { binary: true });
    socket.send = (data: unknown, ...rest: unknown[]) => {
      outbound(read(data), { send, sendBinary });
      const done = rest.at(-1);
      if (typeof done === 'function') done();
    };
  }
  if (closing) {
    socket.close = (code, reason) =>
      closing(code, { close, cut: () => socket.terminate(), reason: reason?.toString() });
  }
}
