import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';

/** Looks into another Node process, that was started with `--inspect`. */
export interface Inspector {
  /** Bytes of its heap that are in use after a collection of everything. */
  heapUsed(): Promise<number>;
  /** What the process has after such a collection, in bytes. */
  memory(): Promise<NodeJS.MemoryUsage>;
  close(): void;
}

interface Target {
  webSocketDebuggerUrl: string;
}

/** @throws Error where nobody can be inspected at this port before the patience is over */
export async function inspect(port: number, patienceMs: number): Promise<Inspector> {
  const socket = new WebSocket(await addressOf(port, performance.now() + patienceMs));
  await once(socket, 'open');
  let last = 0;
  const waiting = new Map<number, (result: unknown) => void>();
  socket.on('message', (data) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
    if (id === undefined) return;
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  const call = (method: string, params?: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, resolve);
      socket.once('close', () => reject(new Error('the process has ended')));
      socket.send(JSON.stringify({ id, method, params }));
    });
  async function collect(): Promise<void> {
    // What a finalizer frees goes with the second.
    for (let round = 0; round < 2; round++) await call('HeapProfiler.collectGarbage');
  }
  return {
    async heapUsed() {
      await collect();
      return ((await call('Runtime.getHeapUsage')) as { usedSize: number }).usedSize;
    },
    async memory() {
      await collect();
      const expression = 'process.memoryUsage()';
      const answer = await call('Runtime.evaluate', { expression, returnByValue: true });
      return (answer as { result: { value: NodeJS.MemoryUsage } }).result.value;
    },
    close: () => socket.close(),
  };
}

async function addressOf(port: number, until: number): Promise<string> {
  for (;;) {
    const targets = await fetch(`http://127.0.0.1:${port}/json/list`)
      .then((response) => response.json() as Promise<Target[]>)
      .catch(() => []);
    const [target] = targets;
    if (target) return target.webSocketDebuggerUrl;
    if (performance.now() > until) throw new Error(`nobody can be inspected at port ${port}`);
    await delay(50);
  }
}
