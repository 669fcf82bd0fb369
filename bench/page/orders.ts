import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createTokenSigner } from '../../platform/auth/tokens.js';
import { startProcesses } from '../flow/processes.js';
import { run } from '../flow/seed.js';

/** An order, and the token of whoever placed it. */
export interface PlacedOrder {
  id: string;
  token: string;
}

const customers = 36;
const ordersEach = 10;
/** An order has one to so many lines. */
const mostLines = 5;
const patienceMs = 120_000;

/**
 * Makes orders the way they are made: a process of everything, customers who register, top up and order, and
 * couriers who bring it all to the door. Answers once every order is COMPLETED and the process has stopped.
 */
export async function placeOrders(options: {
  databaseUrl: string;
  privateKey: string;
  folder: string;
}): Promise<PlacedOrder[]> {
  const { databaseUrl, privateKey, folder } = options;
  const { url, stop } = await startProcesses({
    folder,
    env: {
      ...{ DATABASE_URL: databaseUrl, JWT_PRIVATE_KEY: privateKey, DATA_DIR: folder, LOG_LEVEL: 'warn' },
      ...{ DEMO_DATA: 'on', DELIVERY_SIMULATION: 'on', DELIVERY_STEP: '0ms', RATE_LIMIT_RPS: '0' },
    },
  });
  try {
    const { products } = await ask<{ products: { nodes: Product[] } }>(url, {
      query: '{ products { nodes { id price { amount } } } }',
    });
    // It outlives the benchmark, whatever ACCESS_TOKEN_TTL says.
    const signer = await createTokenSigner({ privateKey, ttlMs: 24 * 3_600_000 });
    const each = await Promise.all(
      Array.from({ length: customers }, async (_, n) => {
        const id = await register(url, n);
        const { accessToken: token } = await signer.sign({ id, role: 'CUSTOMER' });
        await topUp(url, token);
        return placeFor(url, token, n, products.nodes);
      }),
    );
    await allCompleted(new URL('/order', databaseUrl).href, customers * ordersEach);
    // By turns, so that neighbours are of different customers.
    return Array.from({ length: ordersEach }, (_, n) => each.flatMap((orders) => orders[n] ?? [])).flat();
  } finally {
    await stop();
  }
}

interface Product {
  id: string;
  price: { amount: string };
}

async function register(url: string, n: number): Promise<string> {
  const { register: session } = await ask<{ register: { user: { id: string } } }>(url, {
    query: 'mutation ($input: RegisterInput!) { register(input: $input) { user { id } } }',
    variables: {
      input: {
        ...{ email: `customer-${n}@example.org`, password: randomUUID() },
        ...{ firstName: `Customer ${n}`, lastName: 'Example' },
      },
    },
  });
  return session.user.id;
}

async function topUp(url: string, token: string): Promise<void> {
  const input = { amount: '100000.00', idempotencyKey: randomUUID() };
  const query = 'mutation ($input: TopUpInput!) { topUp(input: $input) { id } }';
  await ask(url, { query, variables: { input }, token });
}

async function placeFor(
  url: string,
  token: string,
  customer: number,
  products: Product[],
): Promise<PlacedOrder[]> {
  const placed: PlacedOrder[] = [];
  for (let n = 0; n < ordersEach; n++) {
    const items = Array.from({ length: 1 + ((customer + n) % mostLines) }, (_, line) => {
      const product = products[(customer + n + 3 * line) % products.length] as Product;
      return { productId: product.id, quantity: 1 + line, price: product.price.amount };
    });
    const { createOrder } = await ask<{ createOrder: { id: string } }>(url, {
      query: 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }',
      variables: { input: { items, deliveryAddress: `Long Lane ${customer + 1}` } },
      token,
    });
    placed.push({ id: createOrder.id, token });
  }
  return placed;
}

async function ask<T>(
  url: string,
  { query, variables, token }: { query: string; variables?: object; token?: string },
): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  const { data, errors } = JSON.parse(text) as { data?: T; errors?: unknown };
  if (!data || errors) throw new Error(`no answer without errors: ${text}`);
  return data;
}

async function allCompleted(url: string, count: number): Promise<void> {
  const began = Date.now();
  for (;;) {
    const [row] = await run<{ completed: number }>(
      url,
      `select count(*)::int as completed from orders where status = 'COMPLETED'`,
    );
    if (row?.completed === count) return;
    if (Date.now() - began > patienceMs)
      throw new Error(`of ${count} orders ${row?.completed} are at the door after ${patienceMs / 1000} s`);
    await delay(100);
  }
}
