import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { demand, Fault, InVain } from './audit.js';
import { createRunning, type Running } from './running.js';
import { type Operation, subprotocol, type Target } from './target.js';

/** A message as it came; what is no JSON object has no other type than this. */
export interface Message {
  type: string;
  id?: unknown;
  payload?: unknown;
}

export interface Closing {
  code: number;
  reason: string;
}

/** A raw client: it sends whatever it is told to, and keeps all that comes. It answers the server's pings. */
export interface Peer {
  /** All messages but pings and pongs, in the order in which they came. */
  readonly messages: readonly Message[];
  readonly pongs: readonly Message[];
  /** Whether anything came in a binary frame. */
  readonly binary: boolean;
  readonly closing: Closing | undefined;
  /** Sends this as JSON. */
  send(message: unknown): void;
  /** Sends a frame; a message in several has `fin: false` in all but its last. */
  write(data: string | Uint8Array, frame?: { binary?: boolean; fin?: boolean }): void;
  /** Sends connection_init, with the target's payload. */
  init(): void;
  /** Resolves to the acknowledgement, which has to be the first message. */
  acknowledged(): Promise<Message>;
  /** Starts an operation, under an id that no other has had unless told. */
  subscribe(operation: Operation, id?: string): Running;
  /** Resolves to the server's pong. */
  ping(payload?: unknown): Promise<Message>;
  /** Sends a ping frame of RFC 6455, and resolves to the data of its pong frame. */
  pingFrame(data: string): Promise<string>;
  /** Resolves when the server has closed the socket with one of these codes; fails for any other. */
  closes(...codes: number[]): Promise<Closing>;
  /**
   * Resolves once what was under way has had time to come: the server has answered pings and a query that were sent
   * after it. What is not to come has not come by then, or the server holds it back longer than its answers.
   */
  settle(): Promise<void>;
  /** Looks again whenever something comes; fails, naming `what`, when nothing is found in time or the socket closes. */
  until<T>(what: string, look: () => T | undefined, ms?: number): Promise<T>;
  /** Closes as a client is to: with 1000. */
  close(): void;
  /** Goes without a word. */
  terminate(): void;
}

export interface Handshake {
  /** Of the HTTP response; 101 where the server has switched to WebSocket. */
  status: number;
  /** The subprotocol that the server names. */
  chosen: string | undefined;
  /** Where the connection stands after it, whatever was chosen or not. */
  peer?: Peer;
}

/** Opens a socket as a client does that follows the protocol. */
export async function openPeer(target: Target): Promise<Peer> {
  const socket = new WebSocket(target.url, subprotocol, optionsOf(target, target.headers));
  const peer = peerOf(socket, target);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', (error) => reject(new Fault(`the socket does not open: ${error.message}`)));
  });
  return peer;
}

/** Shakes hands and offers what stands in these lines of Sec-WebSocket-Protocol. */
export function shakeHands(target: Target, lines: string[]): Promise<Handshake> {
  // As a header of our own, so that ws does not judge by itself what the server answers to it.
  const headers = { ...target.headers, ...(lines.length > 0 && { 'Sec-WebSocket-Protocol': lines }) };
  const socket = new WebSocket(target.url, optionsOf(target, headers as Record<string, string>));
  const peer = peerOf(socket, target);
  let chosen: string | undefined;
  return new Promise((resolve, reject) => {
    socket.once('unexpected-response', (_request, response) => {
      resolve({ status: response.statusCode ?? 0, chosen: undefined });
      response.destroy();
    });
    socket.once('upgrade', (response) => {
      chosen = response.headers['sec-websocket-protocol'];
      // ws gives up for a protocol that it did not ask for.
      if (chosen !== undefined) resolve({ status: 101, chosen });
    });
    socket.once('open', () => resolve({ status: 101, chosen, peer }));
    socket.once('error', (error) => reject(new Fault(`no handshake: ${error.message}`)));
  });
}

const optionsOf = ({ patienceMs }: Target, headers: Record<string, string>) => ({
  headers,
  handshakeTimeout: patienceMs,
  perMessageDeflate: false,
});

function read(data: string): Message {
  try {
    const message: unknown = JSON.parse(data);
    if (typeof message === 'object' && message !== null && !Array.isArray(message)) {
      const { type } = message as { type?: unknown };
      return { ...message, type: typeof type === 'string' ? type : '(no type)' };
    }
  } catch {
    // Told below.
  }
  return { type: '(no message)', payload: data };
}

const describe = (messages: readonly Message[]): string =>
  messages.length === 0
    ? 'no message'
    : messages
        .slice(-5)
        .map((message) => JSON.stringify(message).slice(0, 200))
        .join(' ');

function peerOf(socket: WebSocket, target: Target): Peer {
  const messages: Message[] = [];
  const pongs: Message[] = [];
  const frames: string[] = [];
  const running = new Map<string, Running & { push(message: Message): void }>();
  const waiting = new Set<() => void>();
  let closing: Closing | undefined;
  let binary = false;

  const wake = () => {
    for (const look of [...waiting]) look();
  };
  socket.on('message', (data, isBinary) => {
    binary ||= isBinary;
    const message = read(String(data));
    if (message.type === 'ping') peer.send({ type: 'pong' });
    else if (message.type === 'pong') pongs.push(message);
    else {
      messages.push(message);
      if (typeof message.id === 'string') running.get(message.id)?.push(message);
    }
    wake();
  });
  socket.on('pong', (data) => {
    frames.push(String(data));
    wake();
  });
  // A close follows it, with 1006.
  socket.on('error', () => undefined);
  socket.on('close', (code, reason) => {
    closing = { code, reason: String(reason) };
    wake();
  });

  const until: Peer['until'] = (what, look, ms = target.patienceMs) =>
    new Promise((resolve, reject) => {
      const settle = (end: () => void) => {
        clearTimeout(timer);
        waiting.delete(again);
        end();
      };
      const fail = (fault: Fault) => settle(() => reject(fault));
      const again = () => {
        let found: ReturnType<typeof look>;
        try {
          found = look();
        } catch (error) {
          return fail(error instanceof Fault ? error : new Fault(String(error)));
        }
        if (found !== undefined) settle(() => resolve(found as NonNullable<typeof found>));
        else if (closing)
          fail(
            new Fault(
              `${what}: instead, the socket was closed with ${closing.code} ${JSON.stringify(closing.reason)}`,
            ),
          );
      };
      const timer = setTimeout(
        () => fail(new InVain(`${what}: waited ${ms} ms in vain, after ${describe(messages)}`)),
        ms,
      );
      waiting.add(again);
      again();
    });

  const peer: Peer = {
    messages,
    pongs,
    get binary() {
      return binary;
    },
    get closing() {
      return closing;
    },
    send: (message) => socket.send(JSON.stringify(message), () => undefined),
    // Nobody is told where the socket has gone: whoever waits for an answer is.
    write: (data, frame = {}) => socket.send(data, frame, () => undefined),
    init: () => peer.send({ type: 'connection_init', ...(target.init && { payload: target.init }) }),
    async acknowledged() {
      const first = await until('the server acknowledges the connection', () => messages[0]);
      demand(first.type === 'connection_ack', `connection_ack comes first; got ${describe([first])}`);
      return first;
    },
    subscribe(operation, id = randomUUID()) {
      const started = createRunning(id, { until, send: peer.send });
      running.set(id, started);
      peer.send({ id, type: 'subscribe', payload: operation });
      return started;
    },
    ping(payload) {
      const before = pongs.length;
      peer.send({ type: 'ping', ...(payload !== undefined && { payload }) });
      return until('a pong answers a ping', () => pongs[before]);
    },
    pingFrame(data) {
      const before = frames.length;
      socket.ping(data, true, () => undefined);
      return until('a pong frame answers a ping frame', () => frames[before]);
    },
    async closes(...codes) {
      const wanted = codes.join(' or ');
      const found = await until(`the server closes the socket with ${wanted}`, () => closing);
      demand(
        codes.includes(found.code),
        `the socket is closed with ${wanted}; got ${found.code} ${JSON.stringify(found.reason)}`,
      );
      return found;
    },
    async settle() {
      await peer.ping();
      await peer.subscribe(target.query).ended();
      await peer.ping();
    },
    until,
    close: () => socket.close(1000),
    terminate: () => socket.terminate(),
  };
  return peer;
}
