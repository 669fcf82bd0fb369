import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { startEmbeddedPostgres } from '../platform/postgres/embedded.js';
import { until } from '../platform/testing/until.js';
import { type Doorstep, runDoorstep, temporaryFolder } from './support/process.js';

const users = 10;
const ordersEach = 10;

interface Answer<T> {
  data?: T;
  errors?: { message: string; extensions: { code: string } }[];
}

async function ask<T>(url: string, query: string, variables: object, token?: string): Promise<T> {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as Answer<T>;
  if (errors || !data)
    throw new Error(errors?.map(({ extensions, message }) => `${extensions.code}: ${message}`).join());
  return data;
}

/** The program on one DATA_DIR, across kills. */
function supervise(env: Record<string, string>) {
  let running: Doorstep = runDoorstep([], env);
  return {
    url: () => running.ready,
    async killAndStart() {
      running.child.kill('SIGKILL');
      await running.ended;
      running = runDoorstep([], env);
    },
    async stop() {
      running.child.kill('SIGTERM');
      return running.ended;
    },
    kill: () => running.child.kill('SIGKILL'),
  };
}

test('orders placed while the process is killed twice are each charged once and reach their end', {
  timeout: 120_000,
}, async () => {
  const dataDir = await temporaryFolder(onTestFinished);
  const system = supervise({ DATA_DIR: dataDir, DELIVERY_STEP: '10ms' });
  onTestFinished(async () => {
    system.kill();
    await (await startEmbeddedPostgres({ dataDir, databases: [] })).stop();
  });

  const { products } = await ask<{ products: { nodes: { id: string; price: { amount: string } }[] } }>(
    await system.url(),
    '{ products { nodes { id price { amount } } } }',
    {},
  );
  const product = products.nodes[4];
  const tokens = await Promise.all(
    Array.from({ length: users }, async (_, index) => {
      const input = {
        email: `user${index}@example.org`,
        password: 'correct horse',
        firstName: 'U',
        lastName: `${index}`,
      };
      const { register } = await ask<{ register: { accessToken: string } }>(
        await system.url(),
        'mutation ($input: RegisterInput!) { register(input: $input) { accessToken } }',
        { input },
      );
      // Four orders' worth, so that six of each user's ten are refused.
      const topUp = { amount: '50.00', idempotencyKey: 'start' };
      await ask(
        await system.url(),
        'mutation ($input: TopUpInput!) { topUp(input: $input) { id } }',
        { input: topUp },
        register.accessToken,
      );
      return register.accessToken;
    }),
  );

  let placed = 0;
  /** Places an order, again and again under one key, until an answer arrives. */
  const place = async (token: string, key: string): Promise<string> => {
    const items = [{ productId: product?.id, quantity: 1, price: product?.price.amount }];
    const input = { items, deliveryAddress: 'Long Lane 1', idempotencyKey: key };
    const order = await until(
      'an order is accepted',
      () =>
        system
          .url()
          .then((url) =>
            ask<{ createOrder: { id: string } }>(
              url,
              'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }',
              { input },
              token,
            ),
          )
          .catch((error: Error) => {
            // Only an outage may be tried again: any other refusal is a fault.
            if (/^[A-Z_]+: /.test(error.message) && !error.message.startsWith('SERVICE_UNAVAILABLE'))
              throw error;
            return undefined;
          }),
      60_000,
    );
    placed += 1;
    return order.createOrder.id;
  };
  const killing = (async () => {
    for (const share of [0.25, 0.6]) {
      await until('enough orders are placed', () => placed >= share * users * ordersEach, 60_000);
      await system.killAndStart();
    }
  })();
  const ids = await Promise.all(
    tokens.flatMap((token) =>
      Array.from({ length: ordersEach }, (_, index) => place(token, `order ${index}`)),
    ),
  );
  await killing;
  expect(new Set(ids).size).toBe(users * ordersEach);

  const statuses = await until(
    'every order has reached its end',
    async () => {
      const lists = await Promise.all(
        // Tokens from before the kills.
        tokens.map(async (token) =>
          ask<{ orders: { nodes: { id: string; status: string }[] } }>(
            await system.url(),
            '{ orders(first: 100) { nodes { id status } } }',
            {},
            token,
          ),
        ),
      );
      const orders = lists.flatMap((list) => list.orders.nodes);
      return (
        orders.every(({ status }) => status === 'COMPLETED' || status === 'INSUFFICIENT_FUNDS') && orders
      );
    },
    60_000,
  );
  expect(statuses.map(({ id }) => id).sort()).toEqual([...ids].sort());
  expect(statuses.filter(({ status }) => status === 'COMPLETED')).toHaveLength(4 * users);
  expect(await system.stop()).toBe(0);

  const postgres = await startEmbeddedPostgres({ dataDir, databases: [] });
  onTestFinished(() => postgres.stop());
  const select = async (database: string, sql: string) => {
    const client = new pg.Client({ connectionString: postgres.url(database) });
    await client.connect();
    try {
      return (await client.query(sql)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  };
  expect(
    await select(
      'payment',
      'select count(*)::int as payments, count(distinct order_id)::int as orders from payments',
    ),
  ).toEqual([{ payments: users * ordersEach, orders: users * ordersEach }]);
  expect(
    await select(
      'payment',
      `select count(*)::int as charges, count(distinct payment_id)::int as payments from ledger_entries where kind = 'CHARGE'`,
    ),
  ).toEqual([{ charges: 4 * users, payments: 4 * users }]);
  expect(await select('payment', 'select * from ledger_faults')).toEqual([]);
  expect(
    await select(
      'delivery',
      `select d.order_id from deliveries d join delivery_changes c on c.delivery_id = d.id
       group by d.order_id having array_agg(c.status order by c.sequence) <> '{PENDING,IN_TRANSIT,OUT_FOR_DELIVERY,DELIVERED}'`,
    ),
  ).toEqual([]);
  expect(await select('bus', 'select reason from dead_letter')).toEqual([]);
});
