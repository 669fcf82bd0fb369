import type { Server } from 'node:http';
import { GraphQLError } from 'graphql';
import type { Context, ServerOptions } from 'graphql-ws';
import { CloseCode, handleProtocols, makeServer } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Principal } from './auth/principal.js';
import type { TokenVerifier } from './auth/tokens.js';
import { problem } from './errors.js';
import { formatErrors } from './graphql/errors.js';
import { runProtocol } from './live/connection.js';
import type { Log } from './log.js';
import { metrics } from './metrics.js';
import { listenForUpgrades } from './upgrades.js';

/** What is known of a socket; the rest of it once its connection_init has been read. */
interface SocketExtra {
  readonly socket: WebSocket;
  principal?: Principal | null;
  authorization?: string;
  expiry?: NodeJS.Timeout;
}

export type SocketContext = Context<Record<string, unknown>, SocketExtra>;

/** The part of graphql-ws's options that says how operations are run. */
export type Operations = Pick<
  ServerOptions<Record<string, unknown>, SocketExtra>,
  'schema' | 'context' | 'onSubscribe' | 'execute' | 'subscribe'
>;

const messageLimit = 1024 * 1024;
/** setTimeout takes no more than this many ms. */
const longestTimer = 2 ** 31 - 1;

/**
 * Serves graphql-ws at /graphql of an HTTP server. The connection_init payload may carry
 * `{ "authorization": "Bearer ..." }`: a wrong token closes the socket with 4403, and so does a token
 * that ends while the socket is open; both say so in the reason. Where `maxOperations` is given, a socket
 * runs so many at once, and one more is refused with an `error` of code RATE_LIMITED.
 */
export function serveSockets(options: {
  server: Server;
  service: string;
  verifier: TokenVerifier;
  log: Log;
  operations: Operations;
  maxOperations?: number;
}): { close(): Promise<void> } {
  const { server, service, verifier, log, maxOperations = Number.POSITIVE_INFINITY } = options;
  const format = formatErrors(service, log);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: messageLimit, handleProtocols });

  const protocol = makeServer<Record<string, unknown>, SocketExtra>({
    ...options.operations,
    async onConnect(context) {
      const { extra } = context;
      const given = context.connectionParams?.['authorization'];
      if (typeof given === 'string') extra.authorization = given;
      try {
        extra.principal = await verifier.verify(extra.authorization);
      } catch (error) {
        extra.socket.close(...refusal(error));
        return false;
      }
      // It may have gone while the token was checked: then nobody would clear the timer.
      if (extra.principal && extra.socket.readyState === extra.socket.OPEN)
        closeAtExpiry(extra, extra.principal);
      return true;
    },
    onClose: ({ extra }) => clearTimeout(extra.expiry),
    // What was refused before it ran is told by an `error` message, as the protocol has it.
    async onOperation(_context, _id, _payload, _args, started) {
      const result = await started;
      if (Symbol.asyncIterator in result || result.data !== undefined) return undefined;
      return refuse(result.errors);
    },
    onNext(_context, _id, _payload, _args, { data, errors, extensions }) {
      if (!errors) return undefined;
      // Without data it never started, and that must stay visible.
      return {
        ...(data !== undefined && { data }),
        errors: format(errors),
        ...(extensions && { extensions }),
      };
    },
    onError: (_context, _id, _payload, errors) => format(errors as Parameters<typeof format>[0]),
  });

  const tooMany = () =>
    format([
      problem(
        'RATE_LIMITED',
        `A socket runs ${maxOperations} operations at once; complete one before the next.`,
      ),
    ]);
  const onFault = (err: unknown) => log.error({ service, err }, 'a socket could not be served');

  const stopListening = listenForUpgrades(server, '/graphql', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (client) => {
      metrics.sockets.inc({ service });
      client.once('close', () => metrics.sockets.dec({ service }));
      // ws closes the socket by itself.
      client.on('error', (err) => log.info({ service, err }, 'a client broke the WebSocket protocol'));
      runProtocol({ protocol, client, extra: { socket: client }, maxOperations, tooMany, onFault });
    }),
  );

  return {
    async close() {
      stopListening();
      await Promise.all([...sockets.clients].map(restart));
      sockets.close();
    },
  };
}

function closeAtExpiry(extra: SocketExtra, principal: Principal): void {
  const left = Math.min(Math.max(principal.expiresAt - Date.now(), 0), longestTimer);
  extra.expiry = setTimeout(() => {
    if (principal.expiresAt > Date.now()) return closeAtExpiry(extra, principal);
    extra.socket.close(CloseCode.Forbidden, 'Forbidden: the access token has expired');
  }, left);
}

/** 1013 is "try again later": a token that cannot be checked now is not a wrong one. */
function refusal(error: unknown): [code: number, reason: string] {
  const refused = error instanceof GraphQLError && error.extensions['code'] === 'UNAUTHENTICATED';
  return refused
    ? [CloseCode.Forbidden, `Forbidden: ${error.message}`.slice(0, 120)]
    : [1013, 'Try again later'];
}

/** graphql-ws sends an `error` message for what a stream throws. */
async function* refuse(errors: readonly GraphQLError[] = []): AsyncGenerator<never> {
  yield* [];
  throw new AggregateError(errors);
}

/** Closes with 1012, after which clients come back by themselves; one that does not answer is cut off. */
function restart(client: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => client.terminate(), 2_000);
    client.once('close', () => {
      clearTimeout(cut);
      resolve();
    });
    client.close(1012, 'Service restart');
  });
}
