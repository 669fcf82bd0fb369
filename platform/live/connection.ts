import {
  CloseCode,
  type ErrorMessage,
  type Message,
  MessageType,
  parseMessage,
  type Server,
} from 'graphql-ws';
import type { WebSocket } from 'ws';
import { createOperationIds } from './operation-ids.js';

/** Between two pings; a client that has not answered one by the next is gone. */
const pingMs = 12_000;
/** Only servers send them: from a client they are no messages of the protocol. */
const serversOwn: ReadonlySet<string> = new Set([
  MessageType.ConnectionAck,
  MessageType.Next,
  MessageType.Error,
]);

/**
 * Runs graphql-ws's protocol on a socket of `ws`, as `graphql-ws/use/ws` does, but every operation gets an id
 * of its own on the way in and its name back on the way out, and there is a bound on how many run.
 */
export function runProtocol<Extra>(options: {
  protocol: Server<Extra>;
  client: WebSocket;
  extra: Extra;
  maxOperations: number;
  /** The payload of the error for one operation more. */
  tooMany: () => ErrorMessage['payload'];
  /** A message could not be handled, or the socket not be left: a fault of ours. */
  onFault: (error: unknown) => void;
}): void {
  const { protocol, client, extra, tooMany, onFault } = options;
  const ids = createOperationIds(options.maxOperations);

  /** That it cannot be sent is no fault of ours: the client has gone, and its close follows. */
  const write = (message: Message): Promise<void> =>
    new Promise((resolve) => {
      if (client.readyState !== client.OPEN) return resolve();
      client.send(JSON.stringify(message), () => resolve());
    });

  /** `handle` resolves when all that the message started is over. */
  async function receive(text: string, handle: (text: string) => Promise<void>): Promise<void> {
    const message = read(text);
    if (message && serversOwn.has(message.type))
      return client.close(CloseCode.BadRequest, 'Invalid message received');
    if (message?.type === MessageType.Complete) {
      const id = ids.complete(message.id);
      return id === undefined ? undefined : handle(JSON.stringify({ ...message, id }));
    }
    if (message?.type !== MessageType.Subscribe) return handle(text);
    const started = ids.start(message.id);
    if (started === 'running already')
      return client.close(CloseCode.SubscriberAlreadyExists, alreadyExists(message.id));
    if (started === 'too many') return write({ id: message.id, type: MessageType.Error, payload: tooMany() });
    try {
      await handle(JSON.stringify({ ...message, id: started.id }));
    } finally {
      ids.end(started.id);
    }
  }

  const closed = protocol.opened(
    {
      protocol: client.protocol,
      async send(text) {
        const message = ids.outbound(JSON.parse(text) as Message);
        if (message) await write(message);
      },
      close: (code, reason) => client.close(code, reason),
      onMessage(handle) {
        client.on('message', (data) => {
          // Until it has answered the close, a client may go on sending: nothing of that is run.
          if (client.readyState !== client.OPEN) return;
          receive(String(data), handle).catch((error: unknown) => {
            onFault(error);
            client.close(CloseCode.InternalServerError, 'Internal server error');
          });
        });
      },
    },
    extra,
  );
  const pings = keepAlive(client);
  client.once('close', (code, reason) => {
    clearInterval(pings);
    closed(code, String(reason)).catch(onFault);
  });
}

/** Undefined for what is no message of the protocol: graphql-ws says so to the client. */
function read(text: string): Message | undefined {
  try {
    return parseMessage(text);
  } catch {
    return undefined;
  }
}

/** The reason of a close has no room for more than 123 bytes. */
function alreadyExists(name: string): string {
  const reason = `Subscriber for ${name} already exists`;
  return Buffer.byteLength(reason) < 124 ? reason : 'Subscriber already exists';
}

function keepAlive(client: WebSocket): NodeJS.Timeout {
  let answered = true;
  client.on('pong', () => {
    answered = true;
  });
  return setInterval(() => {
    if (!answered) return client.terminate();
    answered = false;
    client.ping();
  }, pingMs);
}
