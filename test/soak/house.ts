import { appendFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { createTokenSigner } from '../../platform/auth/tokens.js';
import { lockDataDir } from '../../platform/data-dir.js';
import { type LocalKafka, startLocalKafka } from '../../platform/kafka/broker/keeper.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../platform/postgres/embedded.js';
import { projectPath } from '../../platform/root.js';
import { freePort } from '../../platform/testing/ports.js';
import { newPrivateKey } from '../../platform/testing/tokens.js';
import { until } from '../../platform/testing/until.js';
import { type Balancer, startBalancer } from '../support/balancer.js';
import { type Doorstep, runDoorstep } from '../support/process.js';

export const services = ['user', 'order', 'payment', 'delivery', 'event'] as const;
export type Service = (typeof services)[number];
export type Command = Service | 'gateway';

/** One of the two processes of a kind. */
export interface Replica {
  command: Command;
  port: number;
}

/** Two of everything, but for one broker and one PostgreSQL server; and what can be done to it. */
export interface House {
  gateways: readonly Replica[];
  replicas: readonly Replica[];
  balancers: ReadonlyMap<Service, Balancer>;
  /** SIGKILL; resolves when it is gone. */
  kill(replica: Replica): Promise<void>;
  /** SIGTERM, after which nobody new is sent to it; resolves when it is gone. */
  terminate(replica: Replica): Promise<void>;
  /** Resolves when it takes part again. */
  start(replica: Replica): Promise<void>;
  /** SIGKILL; resolves when it answers again. */
  killPostgres(): Promise<void>;
  killBroker(): Promise<void>;
  supergraph: string;
  /** Has both gateways serve another supergraph, soon. */
  swap(supergraph: string): Promise<void>;
  /** Runs one statement on a service's database. */
  sql<R = Record<string, unknown>>(service: Service, text: string, values?: unknown[]): Promise<R[]>;
  sign: Awaited<ReturnType<typeof createTokenSigner>>['sign'];
  /** What went wrong with processes: those that ended by themselves, say. */
  complaints: string[];
  /** As logs call it: `order 1`. */
  nameOf(replica: Replica): string;
}

export interface HouseOptions {
  /** All that is kept is kept there. */
  folder: string;
  random: () => number;
  env: Record<string, string>;
  /** Is told how what has been started is stopped, in the order of its start. */
  onEnd: (end: () => Promise<void>) => void;
}

/** Starts everything; resolves when all of it is ready. */
export async function startHouse({ folder, random, env, onEnd }: HouseOptions): Promise<House> {
  await mkdir(folder, { recursive: true, mode: 0o711 });
  await lockDataDir(folder);
  const complaints: string[] = [];
  const [postgres, kafka] = await Promise.all([
    startPostgres(folder).then((started) => {
      onEnd(() => started.stop());
      return started;
    }),
    startLocalKafka({ dataDir: folder, log: () => {} }).then((started) => {
      onEnd(() => started.stop());
      return started;
    }),
  ]);

  const supergraph = await readFile(projectPath('gateway', 'supergraph.graphql'), 'utf8');
  const supergraphPath = join(folder, 'supergraph.graphql');
  const swap = async (sdl: string) => {
    await writeFile(`${supergraphPath}.new`, sdl);
    await rename(`${supergraphPath}.new`, supergraphPath);
  };
  await swap(supergraph);

  const replicas: Replica[] = [];
  for (const command of ['gateway', ...services] as const)
    for (let n = 0; n < 2; n++) replicas.push({ command, port: await freePort() });
  const portsOf = (command: Command) =>
    replicas.filter((replica) => replica.command === command).map(({ port }) => port);
  const balancers = new Map<Service, Balancer>();
  for (const service of services) {
    const balancer = await startBalancer(portsOf(service), random);
    onEnd(() => balancer.close());
    balancers.set(service, balancer);
  }

  const privateKey = newPrivateKey();
  const subgraphUrls = Object.fromEntries(
    [...balancers].map(([service, { port }]) => [service, `http://127.0.0.1:${port}/graphql`]),
  );
  const common: Record<string, string> = {
    ...{ DATA_DIR: folder, HOST: '127.0.0.1', SUBGRAPH_URLS: JSON.stringify(subgraphUrls) },
    ...env,
  };
  const environmentOf = ({ command, port }: Replica): Record<string, string> => ({
    ...common,
    PORT: String(port),
    ...(command === 'gateway'
      ? { SUPERGRAPH_PATH: supergraphPath }
      : {
          KAFKA_BROKERS: kafka.brokers,
          [`${command.toUpperCase()}_DATABASE_URL`]: postgres.url(command),
          DEMO_DATA: 'on',
          DELIVERY_SIMULATION: 'on',
        }),
    ...(command === 'user' && { JWT_PRIVATE_KEY: privateKey }),
  });

  const nameOf = ({ command, port }: Replica) => `${command} ${portsOf(command).indexOf(port) + 1}`;
  const processes = createProcesses({ folder, environmentOf, nameOf, complaints });
  onEnd(() => processes.stop());
  const rotation = ({ command }: Replica) =>
    command === 'gateway' ? undefined : balancers.get(command)?.replicas;

  async function start(replica: Replica): Promise<void> {
    // It listens at once, and is not ready yet.
    rotation(replica)?.delete(replica.port);
    await processes.start(replica);
    rotation(replica)?.add(replica.port);
  }
  await Promise.all(replicas.map(start));

  const databases = new Map<Service, pg.Pool>();
  for (const service of services) {
    const pool = new pg.Pool({ connectionString: postgres.url(service), max: 2 });
    pool.on('error', () => {});
    onEnd(() => pool.end());
    databases.set(service, pool);
  }
  const signer = await createTokenSigner({ privateKey, ttlMs: 24 * 3_600_000 });
  return {
    gateways: replicas.filter(({ command }) => command === 'gateway'),
    ...{ replicas, balancers, start, supergraph, swap, complaints },
    kill: (replica) => processes.end(replica, 'SIGKILL'),
    async terminate(replica) {
      rotation(replica)?.delete(replica.port);
      await processes.end(replica, 'SIGTERM');
    },
    killPostgres: () => killPostgres(folder, postgres),
    killBroker: () => killBroker(kafka),
    async sql<R>(service: Service, text: string, values: unknown[] = []): Promise<R[]> {
      return (await databases.get(service)?.query(text, values))?.rows as R[];
    },
    sign: signer.sign,
    nameOf,
  };
}

/** What each has printed is in `<name>.log` of the folder. */
function createProcesses(options: {
  folder: string;
  environmentOf: (replica: Replica) => Record<string, string>;
  nameOf: (replica: Replica) => string;
  complaints: string[];
}) {
  const { folder, environmentOf, nameOf, complaints } = options;
  const running = new Map<Replica, Doorstep>();
  const killAll = () => {
    for (const { child } of running.values()) child.kill('SIGKILL');
  };
  // Whoever exits without a word takes them along.
  process.on('exit', killAll);
  return {
    async start(replica: Replica): Promise<void> {
      const doorstep = runDoorstep([replica.command], environmentOf(replica));
      running.set(replica, doorstep);
      void doorstep.ended.then((how) => {
        const file = join(folder, `${nameOf(replica)}.log`);
        appendFileSync(file, `${doorstep.output()}-- ended with ${how}, ${new Date().toISOString()}\n`);
        if (running.get(replica) !== doorstep) return;
        running.delete(replica);
        complaints.push(`${nameOf(replica)} ended by itself, with ${how}: ${doorstep.output()}`);
      });
      await doorstep.ready;
    },
    async end(replica: Replica, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
      const doorstep = running.get(replica);
      running.delete(replica);
      doorstep?.child.kill(signal);
      const how = await doorstep?.ended;
      if (signal === 'SIGTERM' && how !== 0)
        complaints.push(`${nameOf(replica)} that was told to stop ended with ${how}: ${doorstep?.output()}`);
    },
    async stop(): Promise<void> {
      const ending = [...running.values()].map(({ ended }) => ended);
      killAll();
      running.clear();
      await Promise.all(ending);
      process.off('exit', killAll);
    },
  };
}

/**
 * A server that forces nothing to disk, which only a crash of the machine needs, but whose commits have left it before
 * they are told: killed, it loses none.
 */
async function startPostgres(folder: string): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir: folder, databases: services, durable: false });
  const client = new pg.Client({ connectionString: postgres.url('postgres') });
  await client.connect();
  for (const service of services)
    await client.query(`alter database ${client.escapeIdentifier(service)} set synchronous_commit = on`);
  await client.end();
  return postgres;
}

/** Its keeper starts it again at once. */
async function killPostgres(folder: string, postgres: EmbeddedPostgres): Promise<void> {
  const file = await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8');
  process.kill(Number.parseInt(file, 10), 'SIGKILL');
  await until(
    'PostgreSQL answers again',
    async () => {
      const client = new pg.Client({ connectionString: postgres.url('postgres') });
      client.on('error', () => {});
      try {
        await client.connect();
        return (await client.query('select 1')).rowCount === 1;
      } catch {
        return false;
      } finally {
        await client.end().catch(() => {});
      }
    },
    120_000,
  );
}

async function killBroker(kafka: LocalKafka): Promise<void> {
  const { pid } = kafka;
  process.kill(pid, 'SIGKILL');
  // The keeper has another one when that answers.
  await until('the broker answers again', () => kafka.pid !== pid, 120_000);
}
