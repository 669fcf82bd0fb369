import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { GraphQLError } from 'graphql';
import type { Context, ServerOptions } from 'graphql-ws';
import { CloseCode, handleProtocols, MessageType, makeServer } from 'graphql-ws';
import { WebSocket, WebSocketServer } from 'ws';
import { whenTokenEnds } from './auth/expiry.js';
import type { Principal } from './auth/principal.js';
import { type Rights, type RightsNews, rightsPayload } from './auth/rights.js';
import type { TokenVerifier } from './auth/tokens.js';
import type { ClientAddress } from './client-address.js';
import { problem } from './errors.js';
import { formatErrors } from './graphql/errors.js';
import { infiniteVariables } from './infinite.js';
import { closeSocket } from './live/closing.js';
import { type Outlet, runProtocol, tryAgainLater } from './live/connection.js';
import { createPlaces, type Places } from './live/places.js';
import type { Log } from './log.js';
import { metrics } from './metrics.js';
import { listenForUpgrades } from './upgrades.js';

/** What is known of a socket; the rest of it once its connection_init has been read. */
interface SocketExtra extends Outlet {
  readonly socket: WebSocket;
  /** By which it was opened. */
  readonly request: IncomingMessage;
  principal?: Principal | null;
  authorization?: string;
  /** What waits for its token to end. */
  stopWaiting?: () => void;
}

export type SocketContext = Context<Record<string, unknown>, SocketExtra>;

/** The part of graphql-ws's options that says how operations are run. */
export type Operations = Pick<
  ServerOptions<Record<string, unknown>, SocketExtra>,
  'schema' | 'context' | 'onSubscribe' | 'execute' | 'subscribe'
>;

/** What clients may take of a server; Infinity is no limit. Who meets one is told which. */
export interface SocketLimits {
  /** Operations that one socket runs at once; one more is refused with an `error` of code RATE_LIMITED. */
  operations: number;
  /** Sockets, and streams over HTTP, that are open; one more is closed with 1013, or refused with 503. */
  sockets: number;
  /** Those of one user, or of one address of those who are nobody; one more is closed with 1013, or refused with 429. */
  socketsPerUser: number;
  /** How long a client may take to send connection_init, in ms; then it is closed with 4408. */
  initTimeoutMs: number;
  /** The longest message of a client, in bytes; one that is longer closes its socket with 1009. */
  messageBytes: number;
  /** How many bytes may wait for a client that does not read; it is closed with 1013 where there are more. */
  bufferBytes: number;
}

/** For a server whose clients are our own. */
export const trusting: SocketLimits = {
  operations: Number.POSITIVE_INFINITY,
  sockets: Number.POSITIVE_INFINITY,
  socketsPerUser: Number.POSITIVE_INFINITY,
  initTimeoutMs: 10_000,
  messageBytes: 1024 * 1024,
  bufferBytes: 64 * 1024 * 1024,
};

const tooBig = 1009;
/**
 * Serves graphql-ws at /graphql of an HTTP server. The connection_init payload may carry
 * `{ "authorization": "Bearer ..." }`: a wrong token closes the socket with 4403, and so does a token
 * that ends while the socket is open; both say so in the reason.
 */
export function serveSockets(options: {
  server: Server;
  service: string;
  verifier: TokenVerifier;
  log: Log;
  operations: Operations;
  /** None but for sizes and times unless told. */
  limits?: Partial<SocketLimits>;
  /** Those of the limits, where something else takes of them too. */
  places?: Places;
  /** Whose rights have changed: their sockets are closed with 4403. */
  rights: Rights;
  /** Asked before a socket's token is checked, which costs work: what it throws closes the socket. */
  beforeCheck?: (request: IncomingMessage, authorization: string | undefined) => Promise<void>;
  /** Whether sockets of nobody, which are those of gateways, are told so by pings. */
  tellsRights?: boolean;
  /** By what those who are nobody are counted; unless told they are not. */
  addressOf?: ClientAddress;
}): { close(): Promise<void> } {
  const { server, service, verifier, log, rights } = options;
  const limits = { ...trusting, ...options.limits };
  const format = formatErrors(service, log);
  const places = options.places ?? createPlaces(limits);
  const meet = (limit: keyof SocketLimits) => metrics.socketLimits.inc({ service, limit });

  /** ws closes for a message that is too long by itself, without a word. */
  class Socket extends WebSocket {
    override close(code?: number, reason?: string | Buffer): void {
      if (code === tooBig) meet('messageBytes');
      super.close(
        code,
        reason ?? (code === tooBig ? `A message has at most ${limits.messageBytes} bytes` : undefined),
      );
    }
  }
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.messageBytes,
    // What is sent to many is written past it.
    perMessageDeflate: false,
    handleProtocols,
    WebSocket: Socket,
  });

  /** Counts a socket as its user's or address's until it is closed, where there is room for it. */
  function admit({ socket, shut }: SocketExtra, holder: string): boolean {
    const leave = places.takeOf(holder);
    if (leave) {
      socket.once('close', leave);
      return true;
    }
    meet('socketsPerUser');
    shut(tryAgainLater, `Try again later: a user or address has at most ${limits.socketsPerUser} sockets`);
    return false;
  }

  const protocol = makeServer<Record<string, unknown>, SocketExtra>({
    ...options.operations,
    connectionInitWaitTimeout: limits.initTimeoutMs,
    async onConnect(context) {
      const { extra } = context;
      const given = context.connectionParams?.['authorization'];
      if (typeof given === 'string') extra.authorization = given;
      try {
        await options.beforeCheck?.(extra.request, extra.authorization);
        extra.principal = await verifier.verify(extra.authorization);
      } catch (error) {
        extra.shut(...refusal(error));
        return false;
      }
      // It may have gone while the token was checked: then nobody would clear the timer.
      if (extra.socket.readyState !== extra.socket.OPEN) return true;
      if (!extra.principal) {
        if (options.tellsRights) extra.stopWaiting = rights.follow((news) => ping(extra.socket, news));
        return options.addressOf ? admit(extra, options.addressOf(extra.request)) : true;
      }
      if (!admit(extra, extra.principal.userId)) return false;
      extra.stopWaiting = whenTokenEnds(extra.principal, rights, (why) =>
        extra.shut(CloseCode.Forbidden, `Forbidden: ${why}`),
      );
      return true;
    },
    onClose: ({ extra }) => extra.stopWaiting?.(),
    // What was refused before it ran is told by an `error` message, as the protocol has it.
    async onOperation(_context, _id, _payload, _args, started) {
      const result = await started;
      if (Symbol.asyncIterator in result || result.data !== undefined) return undefined;
      return failing(new AggregateError(result.errors ?? []));
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

  function tooMany() {
    meet('operations');
    const message = `A socket runs ${limits.operations} operations at once; complete one before the next.`;
    return format([problem('RATE_LIMITED', message)]);
  }

  function serve(client: WebSocket, wire: Duplex, request: IncomingMessage): void {
    const leave = places.take();
    if (!leave) {
      meet('sockets');
      void closeSocket(client, tryAgainLater, 'Try again later: there are too many sockets');
      return;
    }
    client.once('close', leave);
    runProtocol({
      protocol,
      client,
      wire,
      extra: (outlet) => ({ socket: client, request, ...outlet }),
      maxOperations: limits.operations,
      maxBuffered: limits.bufferBytes,
      onTooSlow: () => meet('bufferBytes'),
      onInitTimeout: () => meet('initTimeoutMs'),
      tooMany,
      infinite: () => format([infiniteVariables()]),
      onFault: (err) => log.error({ service, err }, 'a socket could not be served'),
    });
  }

  const stopListening = listenForUpgrades(server, '/graphql', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (client) => {
      metrics.sockets.inc({ service });
      client.once('close', () => metrics.sockets.dec({ service }));
      // ws closes the socket by itself.
      client.on('error', (err) => log.info({ service, err }, 'a client broke the WebSocket protocol'));
      serve(client, socket, request);
    }),
  );

  return {
    async close() {
      stopListening();
      await Promise.all(
        [...sockets.clients].map((client) => closeSocket(client, 1012, 'Service restart', 2_000)),
      );
      sockets.close();
    },
  };
}

const ping = (socket: WebSocket, news: readonly RightsNews[]): void =>
  socket.send(JSON.stringify({ type: MessageType.Ping, payload: rightsPayload(news) }));

/** A token that cannot be checked now is not a wrong one. */
function refusal(error: unknown): [code: number, reason: string] {
  const { code, retryAfter } = error instanceof GraphQLError ? error.extensions : {};
  if (code === 'UNAUTHENTICATED')
    return [CloseCode.Forbidden, `Forbidden: ${(error as GraphQLError).message}`.slice(0, 120)];
  return [tryAgainLater, `Try again later${code === 'RATE_LIMITED' ? `: in ${retryAfter} s` : ''}`];
}

/** A stream that throws this at once: graphql-ws sends an `error` message for it. */
export async function* failing(error: unknown): AsyncGenerator<never> {
  yield* [];
  throw error;
}
