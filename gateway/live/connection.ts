import { GRAPHQL_TRANSPORT_WS_PROTOCOL, type Message, MessageType, parseMessage } from 'graphql-ws';
import WebSocket from 'ws';
import { createHeartbeat } from '../../platform/live/heartbeat.js';

const messageLimit = 64 * 1024 * 1024;
const handshakeMs = 5_000;
/** A subgraph whose machine is gone says nothing: it is missed after twice this time. */
const watchPulse = createHeartbeat(5_000);

/** A socket to a subgraph, from connection_init on. */
export interface Connection {
  send(message: Message): void;
  /** Ends it at once; `onClosed` is called all the same. */
  close(): void;
}

/**
 * Opens a socket to a subgraph. `onClosed` is called once, whatever ends it: a refusal, a loss, a message that is none
 * of the protocol, or that it went silent.
 */
export function connect(options: {
  url: string;
  /** It takes operations now. */
  onReady: () => void;
  onMessage: (message: Message) => void;
  /** It has sent a `ping`, which has been answered. */
  onPing: (payload: Record<string, unknown> | undefined) => void;
  onClosed: (why: string) => void;
}): Connection {
  const { url, onReady, onMessage, onPing, onClosed } = options;
  const socket = new WebSocket(url.replace(/^http/, 'ws'), GRAPHQL_TRANSPORT_WS_PROTOCOL, {
    handshakeTimeout: handshakeMs,
    maxPayload: messageLimit,
    perMessageDeflate: false,
  });
  let why = 'it was closed';
  const fail = (reason: string): void => {
    why = reason;
    socket.terminate();
  };
  const send = (message: Message): void => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  const acknowledged = setTimeout(() => fail('it did not acknowledge the connection'), 2 * handshakeMs);

  socket.once('open', () => send({ type: MessageType.ConnectionInit }));
  socket.on('message', (data) => {
    let message: Message;
    try {
      message = parseMessage(String(data));
    } catch (error) {
      return fail(error instanceof Error ? error.message : String(error));
    }
    if (message.type === MessageType.Ping) {
      send({ type: MessageType.Pong, ...(message.payload && { payload: message.payload }) });
      return onPing(message.payload);
    }
    if (message.type !== MessageType.ConnectionAck) return onMessage(message);
    clearTimeout(acknowledged);
    onReady();
  });
  const stopWatching = watchPulse(socket);
  socket.on('error', (error) => (why = error.message));
  socket.once('close', (code) => {
    clearTimeout(acknowledged);
    stopWatching();
    onClosed(`${why} (${code})`);
  });
  return { send, close: () => socket.terminate() };
}
