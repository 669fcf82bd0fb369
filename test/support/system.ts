import { generateKeyPairSync } from 'node:crypto';
import pg from 'pg';
import { startAll } from '../../app/all.js';
import { startServiceAlone } from '../../app/service.js';
import { demoUsers } from '../../events/demo.js';
import type { Role } from '../../platform/auth/principal.js';
import { createTokenSigner } from '../../platform/auth/tokens.js';
import { loadConfig, type ServiceName } from '../../platform/config.js';
import { createLog } from '../../platform/log.js';
import { metrics } from '../../platform/metrics.js';
import type { RunningSubgraph } from '../../platform/subgraph/server.js';
import { createTestDatabase } from '../../platform/testing/postgres.js';
import { until } from '../../platform/testing/until.js';
import { type Client, createClient, type Product } from './client.js';

export type Database = 'user' | 'order' | 'payment' | 'delivery' | 'event' | 'bus';
const databases: readonly Database[] = ['user', 'order', 'payment', 'delivery', 'event', 'bus'];

/** The databases of a system, each with its URL. */
export type Databases = Record<Database, Awaited<ReturnType<typeof createTestDatabase>>>;

/** Fresh databases on the test run's server; empty. */
export async function createDatabases(): Promise<Databases> {
  const made = await Promise.all(databases.map(async (name) => [name, await createTestDatabase(name)]));
  return Object.fromEntries(made) as Databases;
}

/** May be called while connections to them are open. */
export const dropDatabases = (made: Databases): Promise<unknown> =>
  Promise.all(Object.values(made).map((database) => database.drop()));

/** The whole system, and a client of its gateway. */
export interface System extends Omit<Client, 'products'> {
  /** The process's metrics. */
  metricsUrl: string;
  subgraphs: Map<string, RunningSubgraph>;
  products: Product[];
  /** A dispatcher's. */
  staffToken: string;
  /** A token for any user, real or not; a negative `ttlMs` makes one that has expired. */
  sign(user: { id: string; role?: Role; rights?: number }, ttlMs?: number): Promise<string>;
  /** Has the demo ADMIN give a user a role. */
  setRole(userId: string, role: Role): Promise<void>;
  /** Waits until an order has this status. */
  reaches(orderId: string, status: string): Promise<void>;
  /** Runs one statement on a service's database. */
  sql<R = Record<string, unknown>>(database: Database, text: string, values?: unknown[]): Promise<R[]>;
  /** Where a service keeps its data. */
  databaseUrl(database: Database): string;
  /** How many subscriptions run on the subgraphs of this test run. */
  watching(): Promise<number>;
  /** Starts another replica of a service, in this process too; on Kafka alone. */
  startReplica(service: ServiceName): Promise<void>;
  stop(): Promise<void>;
}

/** A Redis that is away: nothing that has been read is kept. */
export const nowhere = 'redis://127.0.0.1:1';

/**
 * Starts the whole system in this process, on six fresh databases of the test run's server (or on `given` ones, which
 * stay when it stops), with demo data and a quick simulator. `overrides` are environment variables.
 */
export async function startSystem(
  overrides: Record<string, string> = {},
  given?: Databases,
): Promise<System> {
  const made = given ?? (await createDatabases());
  const privateKey = generateKeyPairSync('ed25519')
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
  const env = {
    NODE_ENV: 'test',
    PORT: '0',
    HOST: '127.0.0.1',
    METRICS_PORT: '0',
    LOG_LEVEL: 'silent',
    DEMO_DATA: 'on',
    DELIVERY_SIMULATION: 'on',
    DELIVERY_STEP: '20ms',
    // Tests ask as fast as they can.
    RATE_LIMIT_RPS: '0',
    JWT_PRIVATE_KEY: privateKey,
    GATEWAY_EXECUTOR: process.env['GATEWAY_EXECUTOR'],
    SUBGRAPH_EXECUTOR: process.env['SUBGRAPH_EXECUTOR'],
    ...Object.fromEntries(databases.map((name) => [`${name.toUpperCase()}_DATABASE_URL`, made[name].url])),
    ...overrides,
  };
  const config = loadConfig(env);
  const log = createLog({ level: config.LOG_LEVEL, format: 'text', app: 'test' });
  const drop = async () => {
    if (!given) await dropDatabases(made);
  };
  const running = await startAll(config, log).catch(async (error: unknown) => {
    await drop();
    throw error;
  });
  const replicas: { stop(): Promise<unknown> }[] = [];
  const pools = new Map<string, pg.Pool>();
  const pool = (name: Database): pg.Pool => {
    const opened = pools.get(name) ?? new pg.Pool({ connectionString: running.databaseUrl(name), max: 2 });
    pools.set(name, opened);
    return opened;
  };

  async function sql<R>(database: Database, text: string, values: unknown[] = []): Promise<R[]> {
    return (await pool(database).query(text, values)).rows as R[];
  }

  const sign: System['sign'] = async ({ role = 'CUSTOMER', ...user }, ttlMs = 900_000) => {
    const signer = await createTokenSigner({ privateKey, ttlMs });
    return (await signer.sign({ ...user, role })).accessToken;
  };

  const client = createClient(running.url);

  return {
    ...client,
    metricsUrl: running.metricsUrl ?? '',
    subgraphs: running.subgraphs,
    products: await client.products(),
    staffToken: await sign({
      id: demoUsers.find(({ role }) => role === 'DISPATCHER')?.id ?? '',
      role: 'DISPATCHER',
    }),
    sign,
    async setRole(userId, role) {
      const admin = demoUsers.find((user) => user.role === 'ADMIN')?.id ?? '';
      await client.ask(
        'mutation ($id: ID!, $role: Role!) { setUserRole(id: $id, role: $role) { role } }',
        { id: userId, role },
        await sign({ id: admin, role: 'ADMIN' }),
      );
    },
    async reaches(orderId, status) {
      await until(`order ${orderId} is ${status}`, async () => {
        const rows = await sql('order', 'select from orders where id = $1 and status = $2', [
          orderId,
          status,
        ]);
        return rows.length > 0;
      });
    },
    sql,
    databaseUrl: (database) => running.databaseUrl(database),
    async watching() {
      const { values } = await metrics.subscriptions.get();
      return values
        .filter(({ labels }) => labels.service !== 'gateway')
        .reduce((sum, { value }) => sum + value, 0);
    },
    async startReplica(service) {
      const replica = loadConfig({
        ...env,
        METRICS_ENABLED: 'false',
        JWKS_URL: `${running.url}/.well-known/jwks.json`,
        SUBGRAPH_URLS: JSON.stringify(
          Object.fromEntries([...running.subgraphs.values()].map(({ name, url }) => [name, url])),
        ),
        SERVICE_SECRET: 'that of a replica which nobody calls',
      });
      replicas.push(await startServiceAlone(service, replica, log));
    },
    async stop() {
      await Promise.all(replicas.map((replica) => replica.stop()));
      await Promise.all([...pools.values()].map((opened) => opened.end()));
      await running.stop();
      await drop();
    },
  };
}
