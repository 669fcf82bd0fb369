import type { Commits, Received } from './latency.js';
import type { Worker } from './talk.js';

export interface ConnectOrder {
  kind: 'connect';
  port: number;
  sockets: number;
  /** Where they come from: one address of a machine has 28,000 ports for one server. */
  localAddress: string;
  /** What each subscribes to by GraphQL over WebSocket; without, they only listen. */
  subscribe?: {
    query: string;
    variables: object[];
    tokens?: string[];
    /** They are there when their first event has come, or only when the server has read what they want. */
    until: 'event' | 'read';
  };
}

/** What children/clients.ts is told. */
export type ClientsOrder =
  | ConnectOrder
  /** From here on it counts; it says so each time that `step` more deliveries have come. */
  | { kind: 'begin'; perSocket: number; step: number }
  | { kind: 'finish'; commits: Commits }
  | { kind: 'close' };

/** Sockets to one server, in a process of their own. */
export interface Clients {
  pid: number;
  connect(order: Omit<ConnectOrder, 'kind' | 'localAddress'>): Promise<void>;
  begin(options: { perSocket: number; step: number }): Promise<void>;
  /** Resolves once so many deliveries have come since `begin`, up to a step. @throws Error where none comes for a minute */
  until(deliveries: number): Promise<void>;
  finish(commits: Commits): Promise<Received>;
  close(): Promise<void>;
}

const patienceMs = 60_000;
let lastAddress = 1;

export function clientsOf(worker: Worker): Clients {
  let seen = 0;
  let waiting: { deliveries: number; resolve: () => void; late: NodeJS.Timeout } | undefined;
  worker.onNote((count) => {
    seen = count;
    if (!waiting) return;
    waiting.late.refresh();
    if (seen < waiting.deliveries) return;
    clearTimeout(waiting.late);
    waiting.resolve();
    waiting = undefined;
  });
  const ask = <T>(order: ClientsOrder): Promise<T> => worker.ask<T>(order);
  return {
    pid: worker.child.pid,
    connect: (order) => {
      lastAddress = lastAddress === 250 ? 2 : lastAddress + 1;
      return ask({ kind: 'connect', localAddress: `127.0.0.${lastAddress}`, ...order });
    },
    begin: (options) => {
      seen = 0;
      return ask({ kind: 'begin', ...options });
    },
    until: (deliveries) =>
      new Promise((resolve, reject) => {
        if (seen >= deliveries) return resolve();
        const late = setTimeout(
          () => reject(new Error(`${seen} of ${deliveries} deliveries came, and then none for a minute`)),
          patienceMs,
        );
        waiting = { deliveries, resolve, late };
      }),
    finish: (commits) => ask({ kind: 'finish', commits }),
    close: () => ask({ kind: 'close' }),
  };
}
