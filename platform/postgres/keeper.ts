import { pause } from '../bell.js';
import { backoff } from '../bus/bus.js';
import {
  findRunning,
  type Server,
  type StartOptions,
  startServer,
  stopServer,
  watchServer,
} from './postmaster.js';

export type ServerLog = (line: string, level: 'debug' | 'info' | 'error') => void;

export interface KeptServer {
  /** The same for as long as it is kept. */
  port: number;
  /** Stops the server, whoever started it, and resolves when its process is gone. */
  stop(): Promise<void>;
}

/** A server that ran for this long, in ms, was sound: when it ends, the next one is started at once. */
const soundMs = 60_000;

/**
 * Takes over the server that runs on the cluster, or starts one, and starts it again on the same port
 * whenever it ends before `stop`. When this process exits without having called that, the server is told
 * to stop (a kill -9 leaves it running, for the next start to find).
 */
export async function keepServer(
  options: Omit<StartOptions, 'choosePort' | 'onSpawn' | 'onExit'> & { log: ServerLog },
): Promise<KeptServer> {
  const { cluster, log } = options;
  const stopped = new AbortController();
  /** Of the server that runs, or that is starting. */
  let pid: number | undefined;
  let server: Server | undefined;
  let starts = 0;
  let startedAt = 0;
  let restarting = Promise.resolve();

  async function begin(place: Pick<StartOptions, 'choosePort'> = {}): Promise<Server> {
    starts += 1;
    const left = await findRunning(cluster, (line) => log(line, 'debug'));
    if (left) void watchServer(left, cluster, stopped.signal).then(() => onExit('has ended'));
    const onSpawn = (spawned: number) => {
      pid = spawned;
    };
    server = left ?? (await startServer({ ...options, ...place, onSpawn, onExit }));
    pid = server.pid;
    startedAt = Date.now();
    return server;
  }

  function onExit(how: string): void {
    if (stopped.signal.aborted) return;
    pid = undefined;
    server = undefined;
    log(`PostgreSQL is gone: it ${how}; it is started again`, 'error');
    if (Date.now() - startedAt > soundMs) starts = 0;
    restarting = restart();
  }

  async function restart(): Promise<void> {
    for (;;) {
      // The first end in a while is answered at once.
      if (starts > 1) await pause(backoff(starts - 1, { firstMs: 200, capMs: 10_000 }), stopped.signal);
      if (stopped.signal.aborted) return;
      try {
        await begin({ choosePort: async () => port });
        return log('PostgreSQL runs again', 'info');
      } catch (error) {
        pid = undefined;
        if (!stopped.signal.aborted) log(error instanceof Error ? error.message : String(error), 'error');
      }
    }
  }

  /** Fast shutdown. Does not wait: this is all that a process which exits can do. */
  function interrupt(): void {
    try {
      if (pid !== undefined) process.kill(pid, 'SIGINT');
    } catch {
      // It has ended just now.
    }
  }

  async function stop(): Promise<void> {
    stopped.abort();
    // One that is being started again need not become ready first.
    interrupt();
    await restarting;
    if (server) await stopServer(server, cluster);
    process.off('exit', interrupt);
  }

  process.once('exit', interrupt);
  const { port } = await begin().catch((error: unknown) => {
    process.off('exit', interrupt);
    throw error;
  });
  let stopping: Promise<void> | undefined;
  return { port, stop: () => (stopping ??= stop()) };
}
