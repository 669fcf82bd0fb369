import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { createTokenSigner } from '../../platform/auth/tokens.js';
import { type ServiceName, serviceNames } from '../../platform/config.js';
import { startEmbeddedPostgres } from '../../platform/postgres/embedded.js';
import { projectPath } from '../../platform/root.js';
import { freePort, whenReady } from '../children.js';
import { type Child, startChild } from '../gateway/child.js';
import { type Inspector, inspect } from '../heap/inspector.js';
import { type Clients, clientsOf } from './clients.js';
import { staffId, userId } from './orders.js';
import { seedDeliveries } from './seed.js';
import { type Worker, workerOf } from './talk.js';

/** What the floor (children/floor.ts) is told. `send` and `run` answer when they began to send. */
export type FloorOrder =
  | { kind: 'listen' }
  | { kind: 'texts'; texts: string[] }
  | { kind: 'send' }
  | { kind: 'run'; perSecond: number; times: number };

/** What the writer (children/writer.ts) is told: transactions, each of the next `each` orders of the first `of`. */
export type WriterOrder = { each: number; of: number } & (
  | { kind: 'change' }
  | { kind: 'run'; perSecond: number; times: number }
);

/** A transaction: the numbers of the orders that it changed, and when it was committed. */
export interface Change {
  orders: number[];
  at: number;
}

export interface Server {
  pid: number;
  port: number;
  child: Child;
}

/** All that the benchmark needs: PostgreSQL, the subgraphs, who writes, and how to start the rest. */
export interface Stage {
  subgraph: Child;
  writer: Worker;
  /** A gateway that asks these subgraphs. */
  startGateway(name: string): Promise<Server>;
  /** What children/ has by this name, and where it listens. */
  startServer(name: 'floor' | 'bare'): Promise<Server & { worker: Worker }>;
  startClients(name: string): Clients;
  startLoad(): Child;
  inspect(server: Server): Promise<Inspector>;
  /** `authorization` of user number n, or of a dispatcher. */
  tokens: { users: string[]; staff: string[] };
  /** The end of what each process has printed, by its name. */
  outputs(): string;
  stop(): Promise<void>;
}

/** As bin/doorstep has it. */
const semiSpace = '--max-semi-space-size=64';
const patienceMs = 60_000;
/** Sockets that a user may have, unless set otherwise: the staff shares the sockets of one stream so. */
const socketsOfUser = 100;

export async function setStage(options: {
  folder: string;
  orders: number;
  profile: string | undefined;
}): Promise<Stage> {
  const { folder, orders, profile } = options;
  const children: Child[] = [];
  const inspected = new Map<Child, number>();
  const postgres = await startEmbeddedPostgres({
    dataDir: folder,
    databases: [...serviceNames, 'bus'],
    durable: false,
  });
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()));
    await postgres.stop();
  };
  const keep = (child: Child): Child => {
    children.push(child);
    return child;
  };
  const profiled = (name: string): string[] =>
    profile === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${name}.cpuprofile`];
  const built = (...path: string[]): string => projectPath('dist', ...path);
  const common = { HOST: '127.0.0.1', METRICS_PORT: '0', LOG_FORMAT: 'json' };

  /** A process that can be inspected. */
  async function startServed(options: { name: string; command: string[]; env?: object; messages?: boolean }) {
    const port = await freePort();
    const env = { ...options.env, NODE_OPTIONS: `--inspect=127.0.0.1:${port}` };
    const child = keep(startChild({ ...options, folder, env }));
    inspected.set(child, port);
    return child;
  }
  const startScript = (name: string, script: string, ...args: string[]): Child =>
    keep(
      startChild({
        ...{ name, folder, messages: true },
        command: [process.execPath, built('bench', script), ...args],
      }),
    );

  try {
    const privateKey = generateKeyPairSync('ed25519')
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString();
    const subgraphs = new Map<ServiceName, { child: Child; port: number }>();
    const ports = new Map<ServiceName, number>();
    for (const service of serviceNames) ports.set(service, await freePort());
    const JWKS_URL = `http://127.0.0.1:${ports.get('user')}/.well-known/jwks.json`;
    for (const [service, port] of ports) {
      const heard = service === 'delivery' ? ['heard'] : [];
      const command = [process.execPath, semiSpace, ...(heard.length > 0 ? profiled(service) : [])];
      const child = startChild({
        ...{ name: service, folder },
        command: [...command, built('bench', 'service.js'), service, ...heard],
        env: {
          ...{ ...common, JWKS_URL, PORT: String(port), DATA_DIR: folder },
          DATABASE_URL: postgres.url('postgres'),
          ...(service === 'user' && { JWT_PRIVATE_KEY: privateKey }),
        },
      });
      subgraphs.set(service, { child: keep(child), port });
    }
    const urlOf = (port: number): string => `http://127.0.0.1:${port}`;
    for (const { child, port } of subgraphs.values()) await whenReady(`${urlOf(port)}/health/ready`, [child]);
    await seedDeliveries(postgres.url('delivery'), orders);
    const urls = [...subgraphs].map(([name, { port }]) => [name, `${urlOf(port)}/graphql`]);
    const SUBGRAPH_URLS = JSON.stringify(Object.fromEntries(urls));

    // They outlive the benchmark, whatever ACCESS_TOKEN_TTL says.
    const signer = await createTokenSigner({ privateKey, ttlMs: 24 * 3_600_000 });
    const sign = async (id: string, role: 'CUSTOMER' | 'DISPATCHER'): Promise<string> =>
      `Bearer ${(await signer.sign({ id, role })).accessToken}`;
    const all = <T>(count: number, make: (n: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: count }, (_, n) => make(n)));

    return {
      subgraph: subgraphs.get('delivery')?.child as Child,
      writer: workerOf(
        startScript('writer', join('subscriptions', 'children', 'writer.js'), postgres.url('delivery')),
      ),
      async startGateway(name) {
        const port = await freePort();
        const program =
          profile === undefined
            ? [projectPath('bin', 'doorstep')]
            : [process.execPath, semiSpace, ...profiled(name), built('main.js')];
        const child = await startServed({
          name,
          command: [...program, 'gateway'],
          // Asked the same over and over, it is to fetch it each time.
          env: {
            ...{ ...common, JWKS_URL, SUBGRAPH_URLS, PORT: String(port), REQUEST_DEDUP: 'off' },
            ...{ TRUSTED_DOCUMENTS: 'off', RATE_LIMIT_RPS: '1000000' },
          },
        });
        await whenReady(`${urlOf(port)}/health/ready`, [child]);
        return { pid: child.pid, port, child };
      },
      async startServer(name) {
        const script = built('bench', 'subscriptions', 'children', `${name}.js`);
        const command = [process.execPath, semiSpace, script];
        const child = await startServed({ name, command, messages: true });
        const worker = workerOf(child);
        return { pid: child.pid, port: await worker.ask<number>({ kind: 'listen' }), child, worker };
      },
      startClients: (name) =>
        clientsOf(workerOf(startScript(name, join('subscriptions', 'children', 'clients.js')))),
      startLoad: () => startScript('load', join('gateway', 'children', 'load.js')),
      inspect: ({ child }) => inspect(inspected.get(child) as number, patienceMs),
      tokens: {
        users: await all(orders, (n) => sign(userId(n), 'CUSTOMER')),
        staff: await all(Math.ceil(orders / socketsOfUser), (n) => sign(staffId(n), 'DISPATCHER')),
      },
      outputs: () => children.map((child) => `${child.name}:\n${child.output()}`).join('\n'),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
