/**
 * Many WebSocket clients of one server, which read as little as they can: they count frames, and note when each came.
 * Told by messages what to do (ClientsOrder).
 */
import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { ClientsOrder, ConnectOrder } from '../clients.js';
import { now } from '../clock.js';
import { clientFrame, FrameReader, opcodes } from '../frames.js';
import { latencies, percentile, type Received } from '../latency.js';
import { note, obey } from '../talk.js';

/** So many are on the way to being open at once. */
const mostOpening = 100;
/** Of all sockets: what is read is looked at before the next one reads. */
const buffer = Buffer.allocUnsafe(256 * 1024);
const pong = clientFrame(opcodes.pong, '');

let sockets: Socket[] = [];
let round = { times: new Float64Array(0), counts: new Uint32Array(0), perSocket: 0 };
let seen = 0;
let step = Number.POSITIVE_INFINITY;
let sample: string[] = [];
/** When the chunk came that is being read. */
let cameAt = 0;
let isClosing = false;

function count(socket: number, chunk: Buffer, from: number, to: number): void {
  const n = round.counts[socket] as number;
  round.counts[socket] = n + 1;
  if (n < round.perSocket) round.times[socket * round.perSocket + n] = cameAt;
  if (socket === 0) sample.push(chunk.toString('utf8', from, to));
  seen += 1;
  if (seen % step === 0) note(seen);
}

/** Opens a socket, and subscribes where the order says so; resolves once it is as far as it is to come. */
function open(order: ConnectOrder, index: number): Promise<void> {
  const { port, localAddress, subscribe } = order;
  return new Promise((resolve, reject) => {
    let isOpen = false;
    const ready = (): void => {
      isOpen = true;
      resolve();
    };
    const send = (message: object): void =>
      void socket.write(clientFrame(opcodes.text, JSON.stringify(message)));

    /** The messages before it is ready. */
    function begin(text: string): void {
      const { type } = JSON.parse(text) as { type: string };
      if (type === 'connection_ack') {
        const { query, variables, until } = subscribe as NonNullable<ConnectOrder['subscribe']>;
        // As clients have it by default.
        send({ id: randomUUID(), type: 'subscribe', payload: { query, variables: variables[index] } });
        // The answer shows that what came before has been read.
        if (until === 'read') send({ type: 'ping' });
      } else if (type === 'pong' || (type === 'next' && !text.includes('"errors"'))) ready();
      else reject(new Error(`a subscription did not begin: ${text}`));
    }

    const frames = new FrameReader((opcode, chunk, from, to) => {
      if (opcode === opcodes.ping) socket.write(pong);
      else if (opcode === opcodes.close) fail(`a socket was closed: ${chunk.toString('utf8', from + 2, to)}`);
      else if (opcode !== opcodes.text) return;
      else if (isOpen) count(index, chunk, from, to);
      else begin(chunk.toString('utf8', from, to));
    });
    let isUpgraded = false;
    let head = '';
    /** Reads the answer to the handshake. */
    function upgrade(chunk: Buffer): void {
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!head.startsWith('HTTP/1.1 101')) {
        fail(`no WebSocket: ${head}`);
        return;
      }
      isUpgraded = true;
      if (!subscribe) ready();
      else {
        const authorization = subscribe.tokens?.[index];
        send({ type: 'connection_init', ...(authorization && { payload: { authorization } }) });
      }
      const rest = Buffer.from(head.slice(end + 4), 'latin1');
      if (rest.length > 0) frames.read(rest);
    }
    function fail(why: string): void {
      if (isClosing) return;
      if (!isOpen) reject(new Error(why));
      else {
        process.stderr.write(`${why}\n`);
        process.exit(1);
      }
    }

    const socket = connect({
      ...{ host: '127.0.0.1', port, localAddress, noDelay: true },
      onread: {
        buffer,
        callback(length, bytes) {
          cameAt = now();
          const chunk = (bytes as Buffer).subarray(0, length);
          if (isUpgraded) frames.read(chunk);
          else upgrade(chunk);
          return true;
        },
      },
    });
    sockets[index] = socket;
    socket.on('error', ({ message }) => fail(message));
    socket.on('close', () => fail('a socket was lost'));
    const protocol = subscribe ? 'sec-websocket-protocol: graphql-transport-ws\r\n' : '';
    socket.write(
      `GET /graphql HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
        `sec-websocket-version: 13\r\nsec-websocket-key: ZG9vcnN0ZXAgZG9vcnN0ZQ==\r\n${protocol}\r\n`,
    );
  });
}

async function openAll(order: ConnectOrder): Promise<void> {
  isClosing = false;
  sockets = [];
  let next = 0;
  const some = async (): Promise<void> => {
    while (next < order.sockets) await open(order, next++);
  };
  await Promise.all(Array.from({ length: mostOpening }, some));
}

async function closeAll(): Promise<void> {
  isClosing = true;
  const gone = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  for (const socket of sockets) socket.destroy();
  await Promise.all(gone);
  sockets = [];
}

obey<ClientsOrder>((order) => {
  if (order.kind === 'connect') return openAll(order);
  if (order.kind === 'close') return closeAll();
  if (order.kind === 'begin') {
    const { perSocket } = order;
    round = {
      times: new Float64Array(sockets.length * perSocket),
      counts: new Uint32Array(sockets.length),
      perSocket,
    };
    seen = 0;
    step = order.step;
    sample = [];
    return undefined;
  }
  const { wrong, sorted } = latencies(round, order.commits);
  return {
    ...{ wrong, sample, deliveries: seen },
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  } satisfies Received;
});
