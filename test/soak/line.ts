import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Random } from '../../gateway/testing/random.js';
import type { Following } from './following.js';

/** A way to the gateways, over one socket at a time: whatever closes it, it comes back, to any of them. */
export interface Line {
  add(following: Following): void;
  /** Breaks its socket off. */
  cut(): void;
  readonly isOpen: boolean;
  readonly wrong: readonly string[];
  /** Leaves for good. */
  leave(): void;
}

interface Message {
  id?: string;
  type: string;
  payload?: never;
}

/** 1006: cut; 1001, 1012 and 1013 ask to come back. */
const comeBack = new Set([1001, 1006, 1012, 1013]);

/** @param urls of the gateways, http://host:port */
export function openLine(options: { urls: readonly string[]; token: string; random: Random }): Line {
  const { urls, token, random } = options;
  const followings = new Set<Following>();
  const running = new Map<string, Following>();
  const wrong: string[] = [];
  let socket: WebSocket | undefined;
  let isReady = false;
  let hasLeft = false;
  let lastId = 0;
  let failures = 0;

  const send = (message: object) => socket?.send(JSON.stringify(message));

  function begin(following: Following): void {
    // The socket may be another by now, on which it has begun already.
    if (!isReady || !followings.has(following) || [...running.values()].includes(following)) return;
    const id = `${++lastId}`;
    running.set(id, following);
    send({ id, type: 'subscribe', payload: following.begin() });
  }

  function receive({ id = '', type, payload }: Message): void {
    if (type === 'ping') return void send({ type: 'pong' });
    if (type === 'connection_ack') {
      isReady = true;
      failures = 0;
      for (const following of followings) begin(following);
      return;
    }
    const following = running.get(id);
    if (!following) return void wrong.push(`a message that nothing asked for: ${type} ${id}`);
    if (type === 'next') return void following.next(payload ?? {});
    running.delete(id);
    if (type === 'complete') {
      following.complete();
      followings.delete(following);
    } else if (type === 'error') {
      const isToComeBack = following.error(payload ?? []);
      if (isToComeBack) setTimeout(() => begin(following), 200 + random.below(300)).unref();
      else followings.delete(following);
    } else wrong.push(`a message of type ${type}`);
  }

  async function reconnect(code: number, reason: string): Promise<void> {
    if (hasLeft) return;
    if (!comeBack.has(code)) wrong.push(`closed with ${code}: ${reason}`);
    await delay(Math.min(20 * 2 ** failures++, 1_000) * (0.5 + random.next()));
    if (!hasLeft) connect();
  }

  function connect(): void {
    const opened = new WebSocket(
      `${random.pick(urls).replace('http', 'ws')}/graphql`,
      'graphql-transport-ws',
      {
        handshakeTimeout: 10_000,
      },
    );
    socket = opened;
    opened.on('open', () => send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
    opened.on('message', (data) => receive(JSON.parse(String(data)) as Message));
    opened.on('error', () => undefined);
    opened.once('close', (code, reason) => {
      isReady = false;
      running.clear();
      void reconnect(code, String(reason));
    });
  }

  connect();
  return {
    wrong,
    get isOpen() {
      return isReady;
    },
    add(following) {
      followings.add(following);
      begin(following);
    },
    cut: () => socket?.terminate(),
    leave() {
      hasLeft = true;
      socket?.terminate();
    },
  };
}
