import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { createTokenSigner } from '../../platform/auth/tokens.js';
import { type Cost, type Counter, createMeter, uncounted } from './counts.js';
import { applyMigrations, type ProcessOptions, startProcesses } from './processes.js';
import { customerId, insertOrders, people, productId, run, seedPeople, type Urls } from './seed.js';

/** Requests under way at once. */
const concurrency = 32;
/** Slower than this many orders a second is a failure: something is stuck. */
const slowest = 5;
const pollMs = 50;

export interface Flow {
  /** Orders a second from the outbox on until each is DELIVERED, and the order has been told. */
  fromTheOutbox: number;
  /** The same, from the request on. */
  withCreateOrder: number;
  /** Of the requests alone. */
  createOrder: { perSecond: number; p50Ms: number; p99Ms: number };
  /** What `orders` orders cost, of both. */
  costs: Record<'fromTheOutbox' | 'withCreateOrder', Cost>;
}

/** Runs the program itself, simulator step 0, on empty databases. */
export async function measureFlow(options: {
  /** Of a server with empty databases named as the services. */
  databaseUrl: string;
  counter: Counter;
  brokers?: string | undefined;
  folder: string;
  orders: number;
  profile?: string | undefined;
  log: (line: string) => void;
}): Promise<Flow> {
  const { databaseUrl, counter, brokers, folder, orders, profile, log } = options;
  const privateKey = generateKeyPairSync('ed25519')
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
  // What the benchmark itself asks is nothing that an order costs.
  const urls: Urls = (service) => uncounted(new URL(`/${service}`, databaseUrl).href);
  const program: ProcessOptions = {
    folder,
    brokers,
    env: {
      ...{
        NODE_ENV: 'production',
        LOG_LEVEL: 'warn',
        DATABASE_URL: databaseUrl,
        JWT_PRIVATE_KEY: privateKey,
      },
      ...{ DEMO_DATA: 'off', DELIVERY_SIMULATION: 'on', DELIVERY_STEP: '0ms', RATE_LIMIT_RPS: '0' },
      // Whoever asks the gateway for anything here is the benchmark.
      ...{ INTROSPECTION: 'on', TRUSTED_DOCUMENTS: 'off', DATA_DIR: folder },
    },
  };
  await applyMigrations(program);
  await seedPeople(urls, people.couriers);
  const { url, metrics, stop } = await startProcesses({ ...program, profile });
  const measured = createMeter({ counter, metrics, settled: () => settled(urls) });
  try {
    const warmUp = Math.ceil(orders / 4);
    await deliver(urls, 1, warmUp, log);
    for (const service of ['order', 'payment', 'delivery'] as const)
      await run(urls(service), 'vacuum analyze');
    log(`${warmUp} orders to warm up are delivered`);
    const { result: fromTheOutbox, cost } = await measured(() => deliver(urls, 1 + warmUp, orders, log));
    log(`from the outbox: ${Math.round(fromTheOutbox)} orders/s`);
    const send = await orderer(url, privateKey);
    await send(warmUp);
    await delivered(urls, warmUp, log);
    const whole = await measured(async () => {
      const began = performance.now();
      const createOrder = await send(orders);
      log(`createOrder: ${Math.round(createOrder.perSecond)} requests/s`);
      await delivered(urls, orders, log);
      return { createOrder, withCreateOrder: orders / ((performance.now() - began) / 1000) };
    });
    log(`with createOrder: ${Math.round(whole.result.withCreateOrder)} orders/s`);
    return { fromTheOutbox, ...whole.result, costs: { fromTheOutbox: cost, withCreateOrder: whole.cost } };
  } finally {
    await stop();
  }
}

/** Lets orders appear in the outbox, all at once, and answers how many a second were delivered. */
async function deliver(
  urls: Urls,
  first: number,
  count: number,
  log: (line: string) => void,
): Promise<number> {
  await insertOrders(urls('order'), first, count);
  const began = performance.now();
  await delivered(urls, count, log);
  return count / ((performance.now() - began) / 1000);
}

/** Resolves once all orders have been delivered, as the order service knows it. */
async function delivered(urls: Urls, count: number, log: (line: string) => void): Promise<void> {
  const began = performance.now();
  let told = began;
  for (;;) {
    const [row] = await run<{ left: number }>(
      urls('order'),
      `select count(*)::int as left from orders where status in ('PENDING', 'PAID')`,
    );
    if (row?.left === 0) break;
    const now = performance.now();
    if (now - began > 30_000 + (count / slowest) * 1000)
      throw new Error(`${row?.left} orders are not delivered after ${Math.round((now - began) / 1000)} s`);
    if (now - told > 5_000) {
      log(`${row?.left} orders are under way`);
      told = now;
    }
    await delay(pollMs);
  }
  const [row] = await run<{ lost: number }>(
    urls('order'),
    `select count(*)::int as lost from orders where status <> 'COMPLETED'`,
  );
  if (row?.lost !== 0) throw new Error(`${row?.lost} orders came to another end`);
}

/** Resolves once no event waits to leave, and those that have left are counted. */
async function settled(urls: Urls): Promise<void> {
  for (const service of ['order', 'payment', 'delivery'] as const) {
    while ((await run(urls(service), 'select from outbox limit 1')).length > 0) await delay(pollMs);
  }
  // They are deleted first, and counted then.
  await delay(2 * pollMs);
}

const createOrder = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id status } }';

/** What sends orders of all customers in turn, over connections that stay open; throws when one is refused. */
async function orderer(url: string, privateKey: string) {
  const signer = await createTokenSigner({ privateKey, ttlMs: 3_600_000 });
  const tokens = await Promise.all(
    Array.from({ length: people.customers }, (_, n) =>
      signer.sign({ id: customerId(n + 1), role: 'CUSTOMER' }),
    ),
  );
  return async (count: number): Promise<Flow['createOrder']> => {
    const pool = new Pool(url, { connections: concurrency, pipelining: 1 });
    const times: number[] = [];
    let next = 0;
    async function send(n: number): Promise<void> {
      const began = performance.now();
      const items = [{ productId: productId(1 + (n % people.products)), quantity: 1, price: '5.00' }];
      const input = { items, deliveryAddress: 'Long Lane 1', idempotencyKey: randomUUID() };
      const { body } = await pool.request({
        ...{ path: '/graphql', method: 'POST' },
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${tokens[n % tokens.length]?.accessToken}`,
        },
        body: JSON.stringify({ query: createOrder, variables: { input } }),
      });
      const text = await body.text();
      if (!text.includes('"status":"PENDING"') && !text.includes('"status":"PAID"'))
        throw new Error(`an order was refused: ${text}`);
      times.push(performance.now() - began);
    }
    async function sender(): Promise<void> {
      while (next < count) await send(next++);
    }
    const began = performance.now();
    await Promise.all(Array.from({ length: concurrency }, sender));
    const seconds = (performance.now() - began) / 1000;
    await pool.close();
    const sorted = times.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
    return { perSecond: count / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
  };
}
