import { generateKeyPairSync, randomUUID } from 'node:crypto';
import pg from 'pg';
import { startAll } from '../../app/all.js';
import { demoUsers } from '../../events/demo.js';
import type { Role } from '../../platform/auth/principal.js';
import { createTokenSigner } from '../../platform/auth/tokens.js';
import { loadConfig } from '../../platform/config.js';
import { createLog } from '../../platform/log.js';
import { metrics } from '../../platform/metrics.js';
import type { RunningSubgraph } from '../../platform/subgraph/server.js';
import { createTestDatabase } from '../../platform/testing/postgres.js';
import { until } from '../../platform/testing/until.js';
import { type Live, subscribe } from './live.js';

export type Database = 'user' | 'order' | 'payment' | 'delivery' | 'bus';
const databases: readonly Database[] = ['user', 'order', 'payment', 'delivery', 'bus'];

/** What a client gets; `text` is the whole body as it came. */
export interface Answer<T> {
  status: number;
  text: string;
  data: T | null | undefined;
  errors: AnswerError[];
}

export interface AnswerError {
  message: string;
  path?: (string | number)[];
  extensions: { code: string; [key: string]: unknown };
}

export interface Customer {
  userId: string;
  token: string;
  email: string;
  password: string;
}

export interface Product {
  id: string;
  name: string;
  price: { amount: string };
}

export interface NewOrder {
  items?: { productId: string; quantity: number; price: string }[];
  deliveryAddress?: string;
  idempotencyKey?: string;
}

export interface System {
  /** Of the gateway: http://host:port. */
  url: string;
  subgraphs: Map<string, RunningSubgraph>;
  products: Product[];
  /** A dispatcher's. */
  staffToken: string;
  /** A token for any user, real or not; a negative `ttlMs` makes one that has expired. */
  sign(user: { id: string; role?: Role }, ttlMs?: number): Promise<string>;
  http(path: string, init?: RequestInit): Promise<Response>;
  /** Asks the gateway; never throws for what GraphQL says. */
  graphql<T = Record<string, unknown>>(query: string, variables?: object, token?: string): Promise<Answer<T>>;
  /** Asks the gateway and throws unless the answer is whole. */
  ask<T>(query: string, variables?: object, token?: string): Promise<T>;
  /** A new customer, with an empty account. */
  register(): Promise<Customer>;
  /** Adds to an account, once it is open; `amount` as in '12.50'. */
  topUp(customer: Customer, amount: string): Promise<void>;
  /** Places an order (one of the cheapest product unless told) and answers its id. */
  order(customer: Customer, order?: NewOrder): Promise<string>;
  /** Waits until an order has this status. */
  reaches(orderId: string, status: string): Promise<void>;
  subscribe<T = Record<string, unknown>>(query: string, variables?: object, token?: string): Live<T>;
  /** Runs one statement on a service's database. */
  sql<R = Record<string, unknown>>(database: Database, text: string, values?: unknown[]): Promise<R[]>;
  /** Where a service keeps its data. */
  databaseUrl(database: Database): string;
  /** How many subscriptions run on the subgraphs of this test run. */
  watching(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts the whole system in this process, on five fresh databases of the test run's server, with demo
 * data and a quick simulator. `overrides` are environment variables.
 */
export async function startSystem(overrides: Record<string, string> = {}): Promise<System> {
  const made = await Promise.all(databases.map((name) => createTestDatabase(name)));
  const privateKey = generateKeyPairSync('ed25519')
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
  const config = loadConfig({
    NODE_ENV: 'test',
    PORT: '0',
    HOST: '127.0.0.1',
    METRICS_PORT: '0',
    LOG_LEVEL: 'silent',
    DEMO_DATA: 'on',
    DELIVERY_SIMULATION: 'on',
    DELIVERY_STEP: '20ms',
    JWT_PRIVATE_KEY: privateKey,
    ...Object.fromEntries(
      databases.map((name, index) => [`${name.toUpperCase()}_DATABASE_URL`, made[index]?.url]),
    ),
    ...overrides,
  });
  const drop = () => Promise.all(made.map((database) => database.drop()));
  const running = await startAll(
    config,
    createLog({ level: config.LOG_LEVEL, format: 'text', app: 'test' }),
  ).catch(async (error: unknown) => {
    await drop();
    throw error;
  });
  const pools = new Map<string, pg.Pool>();
  const pool = (name: Database): pg.Pool => {
    const opened = pools.get(name) ?? new pg.Pool({ connectionString: running.databaseUrl(name), max: 2 });
    pools.set(name, opened);
    return opened;
  };

  const http: System['http'] = (path, init) => fetch(new URL(path, running.url), init);

  async function graphql<T>(query: string, variables: object = {}, token?: string): Promise<Answer<T>> {
    const headers = {
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
    };
    const response = await http('/graphql', {
      method: 'POST',
      headers,
      body: JSON.stringify({ query, variables }),
    });
    const text = await response.text();
    const { data, errors = [] } = JSON.parse(text) as { data?: T | null; errors?: AnswerError[] };
    return { status: response.status, text, data, errors };
  }

  async function ask<T>(query: string, variables?: object, token?: string): Promise<T> {
    const { data, errors, text } = await graphql<T>(query, variables, token);
    if (errors.length > 0 || !data) throw new Error(text);
    return data;
  }

  async function sql<R>(database: Database, text: string, values: unknown[] = []): Promise<R[]> {
    return (await pool(database).query(text, values)).rows as R[];
  }

  async function sign(user: { id: string; role?: Role }, ttlMs = 900_000): Promise<string> {
    const signer = await createTokenSigner({ privateKey, ttlMs });
    return (await signer.sign({ id: user.id, role: user.role ?? 'CUSTOMER' })).accessToken;
  }

  async function register(): Promise<Customer> {
    const email = `${randomUUID()}@example.org`;
    const password = 'correct horse';
    const { register: session } = await ask<{ register: { accessToken: string; user: { id: string } } }>(
      'mutation ($input: RegisterInput!) { register(input: $input) { accessToken user { id } } }',
      { input: { email, password, firstName: 'Rosa', lastName: 'Random' } },
    );
    return { userId: session.user.id, token: session.accessToken, email, password };
  }

  const { products } = await ask<{ products: { nodes: Product[] } }>(
    '{ products { nodes { id name price { amount } } } }',
  );
  const first = products.nodes[0];
  if (!first) throw new Error('there are no demo products');

  return {
    url: running.url,
    subgraphs: running.subgraphs,
    products: products.nodes,
    staffToken: await sign({
      id: demoUsers.find(({ role }) => role === 'DISPATCHER')?.id ?? '',
      role: 'DISPATCHER',
    }),
    sign,
    http,
    graphql,
    ask,
    register,
    async topUp({ token }, amount) {
      const input = { amount, idempotencyKey: randomUUID() };
      await ask('mutation ($input: TopUpInput!) { topUp(input: $input) { id } }', { input }, token);
    },
    async order({ token }, order = {}) {
      const items = [{ productId: first.id, quantity: 1, price: first.price.amount }];
      const input = { items, deliveryAddress: 'Long Lane 1', ...order };
      const { createOrder } = await ask<{ createOrder: { id: string } }>(
        'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }',
        { input },
        token,
      );
      return createOrder.id;
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
    subscribe: (query, variables = {}, token) => subscribe(running.url, { query, variables }, token),
    sql,
    databaseUrl: (database) => running.databaseUrl(database),
    async watching() {
      const { values } = await metrics.subscriptions.get();
      return values
        .filter(({ labels }) => labels.service !== 'gateway')
        .reduce((sum, { value }) => sum + value, 0);
    },
    async stop() {
      await Promise.all([...pools.values()].map((opened) => opened.end()));
      await running.stop();
      await drop();
    },
  };
}
