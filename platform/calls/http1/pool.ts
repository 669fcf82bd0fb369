import type { Limits } from './answer-reader.js';
import { Connection, type ConnectionOptions } from './connection.js';
import type { Exchange } from './exchange.js';

const sweepMs = 1_000;

export interface PoolOptions {
  /** Of the server, http: or https:. */
  origin: string;
  /** The most connections. */
  connections: number;
  connectMs: number;
  /** An idle connection is kept so long, or for as long as its server says. */
  idleMs: number;
  limits: Limits;
}

/** Connections to one server, kept open, and what waits for one. */
export interface Pool {
  /** Its `done` is told what comes of it, later than now. */
  send(exchange: Exchange): void;
  /** Nobody waits for it any more, and nobody is told of it: it is not sent, or its connection is closed. */
  abandon(exchange: Exchange): void;
  /** Resolves when what was sent before has been answered, and all connections are closed. */
  close(): Promise<void>;
}

/** A client of HTTP/1.1 for one server: one exchange at a time on each of its connections. */
export function createPool({ origin, connections, connectMs, idleMs, limits }: PoolOptions): Pool {
  const { protocol, hostname, port } = new URL(origin);
  const isSecure = protocol === 'https:';
  const all = new Set<Connection>();
  /** The last that was used is used first: those that are not needed become old, and are closed. */
  const idle: Connection[] = [];
  const waiting = new Set<Exchange>();
  let closed: (() => void) | undefined;
  let closing: Promise<void> | undefined;
  const sweeper = setInterval(sweep, sweepMs).unref();

  const options: ConnectionOptions = {
    isSecure,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (isSecure ? 443 : 80),
    connectMs,
    idleMs,
    limits,
    onFree(connection) {
      const [next] = waiting;
      if (next?.needsNew) connection.destroy();
      else if (next) {
        waiting.delete(next);
        connection.send(next);
      } else if (closed) connection.destroy();
      else idle.push(connection);
    },
    onClose(connection) {
      all.delete(connection);
      const at = idle.indexOf(connection);
      if (at >= 0) idle.splice(at, 1);
      const [next] = waiting;
      if (next) {
        waiting.delete(next);
        open(next);
      } else if (all.size === 0) closed?.();
    },
  };

  function open(first: Exchange): void {
    all.add(new Connection(options, first));
  }

  function sweep(): void {
    const now = performance.now();
    for (const connection of idle) if (connection.idleUntil <= now) connection.destroy();
  }

  return {
    send(exchange) {
      while (!exchange.needsNew) {
        const free = idle.pop();
        if (!free) break;
        if (free.isOpen && free.idleUntil > performance.now()) {
          free.send(exchange);
          return;
        }
        free.destroy();
      }
      if (all.size < connections) open(exchange);
      else {
        waiting.add(exchange);
        // Where one is idle, it is one that has been used: its place is for another.
        idle.shift()?.destroy();
      }
    },
    abandon(exchange) {
      if (!waiting.delete(exchange)) exchange.connection?.destroy();
    },
    close() {
      clearInterval(sweeper);
      closing ??= new Promise((resolve) => {
        closed = resolve;
        for (const connection of idle) connection.destroy();
        if (all.size === 0) resolve();
      });
      return closing;
    },
  };
}
