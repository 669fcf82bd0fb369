import type { Duplex } from 'node:stream';
import {
  CloseCode,
  type ErrorMessage,
  type Message,
  MessageType,
  parseMessage,
  type Server,
} from 'graphql-ws';
import { WebSocket } from 'ws';
import { textHoldsInfinity } from '../infinite.js';
import { closeSocket } from './closing.js';
import { createHeartbeat } from './heartbeat.js';
import { nextFrame, startOf } from './next-frame.js';
import { createOperationIds } from './operation-ids.js';

const watchPulse = createHeartbeat(12_000);

/** The code of a close after which clients come back by themselves, and resume from their last cursors. */
export const tryAgainLater = 1013;

/** What a socket is to its server, beside the protocol. */
export interface Outlet {
  /** Gives what sends the `next` messages of an operation: their payloads are JSON already. Nothing is sent once it is over. */
  sender(id: string): (payload: string) => void;
  /** Closes the socket. All that runs for it ends at once: a client may take long to answer the close. */
  shut(code: number, reason: string): void;
}

/** Only servers send them: from a client they are no messages of the protocol. */
const serversOwn: ReadonlySet<string> = new Set([
  MessageType.ConnectionAck,
  MessageType.Next,
  MessageType.Error,
]);

/**
 * Runs graphql-ws's protocol on a socket of `ws`, as `graphql-ws/use/ws` does, but every operation gets an id
 * of its own on the way in and its name back on the way out, and there are bounds on how many run and on how much
 * waits for a client that does not read.
 */
export function runProtocol<Extra>(options: {
  protocol: Server<Extra>;
  client: WebSocket;
  /** What the client speaks through; `ws` lets nothing wait between the two, since it compresses nothing. */
  wire: Duplex;
  /** What the protocol's hooks are given, made from what they may send past it. */
  extra: (outlet: Outlet) => Extra;
  maxOperations: number;
  /** So many bytes may wait for a client; where there are more, it is closed with 1013. */
  maxBuffered: number;
  onTooSlow: () => void;
  /** It is closed since it did not begin with connection_init in time. */
  onInitTimeout: () => void;
  /** The payload of the error for one operation more. */
  tooMany: () => ErrorMessage['payload'];
  /** The same for one whose variables have an infinite number: it is read here, and would be null for the hooks. */
  infinite: () => ErrorMessage['payload'];
  /** A message could not be handled, or the socket not be left: a fault of ours. */
  onFault: (error: unknown) => void;
}): void {
  const { protocol, client, wire, maxBuffered, onTooSlow, onFault } = options;
  const ids = createOperationIds(options.maxOperations);
  let isOver = false;
  /** Undefined while it is being opened, when it may be closed already. */
  let closed: ReturnType<typeof protocol.opened> | undefined;

  function isWritable(): boolean {
    if (client.readyState !== WebSocket.OPEN || isOver) return false;
    if (wire.writableLength <= maxBuffered) return true;
    onTooSlow();
    shut(tryAgainLater, 'Try again later: events come faster than they are read');
    return false;
  }

  /** That it cannot be sent is no fault of ours: the client has gone, and its close follows. */
  const write = (message: Message): Promise<void> =>
    new Promise((resolve) => {
      if (!isWritable()) return resolve();
      client.send(JSON.stringify(message), () => resolve());
    });

  const writeFrame = (frame: Buffer): Promise<void> =>
    new Promise((resolve) => {
      if (!isWritable()) return resolve();
      wire.write(frame, () => resolve());
    });

  // What is sent to many sockets meets each of them cold: so few objects are looked at as can be.
  function sender(id: string): (payload: string) => void {
    const operation = ids.find(id);
    if (!operation) return () => undefined;
    const start = startOf(operation.name);
    return (payload) => {
      if (!operation.isOver && isWritable()) wire.write(nextFrame(start, payload));
    };
  }

  /** `handle` resolves when all that the message started is over. */
  async function receive(text: string, handle: (text: string) => Promise<void>): Promise<void> {
    const message = read(text);
    if (message && (serversOwn.has(message.type) || isTooDeep(text, message)))
      return shut(CloseCode.BadRequest, 'Invalid message received');
    if (message?.type === MessageType.Complete) {
      const id = ids.complete(message.id);
      return id === undefined ? undefined : handle(JSON.stringify({ ...message, id }));
    }
    if (message?.type !== MessageType.Subscribe) return handle(text);
    const refuse = (payload: ErrorMessage['payload']) =>
      write({ id: message.id, type: MessageType.Error, payload });
    if (textHoldsInfinity(text, message.payload.variables)) return refuse(options.infinite());
    const started = ids.start(message.id);
    if (started === 'running already')
      return shut(CloseCode.SubscriberAlreadyExists, alreadyExists(message.id));
    if (started === 'too many') return refuse(options.tooMany());
    try {
      await handle(JSON.stringify({ ...message, id: started.id }));
    } finally {
      ids.end(started.id);
    }
  }

  closed = protocol.opened(
    {
      protocol: client.protocol,
      async send(text) {
        const next = nextOf(text);
        const operation = next && ids.find(next.id);
        if (next && operation) return writeFrame(nextFrame(startOf(operation.name), next.payload));
        const message = ids.outbound(JSON.parse(text) as Message);
        if (message) await write(message);
      },
      close(code = CloseCode.InternalServerError, reason = '') {
        if (code === CloseCode.ConnectionInitialisationTimeout) options.onInitTimeout();
        shut(code, reason);
      },
      onMessage(handle) {
        client.on('message', (data) => {
          // Until it has answered the close, a client may go on sending: nothing of that is run.
          if (client.readyState !== client.OPEN) return;
          receive(String(data), handle).catch((error: unknown) => {
            onFault(error);
            shut(CloseCode.InternalServerError, 'Internal server error');
          });
        });
      },
    },
    options.extra({ sender, shut }),
  );
  const unwatch = watchPulse(client);
  function shut(code: number, reason: string): void {
    void closeSocket(client, code, reason);
    end(code, reason);
  }
  function end(code: number, reason: string): void {
    if (isOver || !closed) return;
    isOver = true;
    closed(code, reason).catch(onFault);
  }
  client.once('close', (code, reason) => {
    unwatch();
    end(code, String(reason));
  });
}

const [beforeId, afterId] = ['{"id":"', '","type":"next","payload":'] as const;

/** The id, which is one of ours, and the payload of a `next` message, found without reading it; undefined for others. */
function nextOf(text: string): { id: string; payload: string } | undefined {
  const end = text.startsWith(beforeId) ? text.indexOf('"', beforeId.length) : -1;
  if (end < 0 || !text.startsWith(afterId, end)) return undefined;
  return { id: text.slice(beforeId.length, end), payload: text.slice(end + afterId.length, -1) };
}

/** Undefined for what is no message of the protocol: graphql-ws says so to the client. */
function read(text: string): Message | undefined {
  try {
    return parseMessage(text);
  } catch {
    return undefined;
  }
}

/** Whether a message is nested so deep that it cannot be written again, for which it has to be long. */
function isTooDeep(text: string, message: Message): boolean {
  if (text.length < 4_096) return false;
  try {
    JSON.stringify(message);
    return false;
  } catch {
    return true;
  }
}

/** The reason of a close has no room for more than 123 bytes. */
function alreadyExists(name: string): string {
  const reason = `Subscriber for ${name} already exists`;
  return Buffer.byteLength(reason) < 124 ? reason : 'Subscriber already exists';
}
