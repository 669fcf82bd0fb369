import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { migrate } from '../../platform/migrate.js';
import { projectPath } from '../../platform/root.js';
import { fromTheOutbox, type ScriptVariables, withCreateOrder } from './script.js';
import { insertOrders, people, run, seedPeople } from './seed.js';

/** How many clients of pgbench are tried: the best result is the floor. */
const crews = [4, 8, 16];
/** Each client has one delivery under way. More would cost the floor: each assignment looks at all that are free. */
const couriers = 2 * Math.max(...crews);

const warmUp = 200;

export interface Floor {
  ordersPerSecond: number;
  clients: number;
}

/**
 * What PostgreSQL alone can do: the services' statements for one order after the other (script.ts), driven by
 * pgbench with prepared statements, on tables made by the services' own migrations.
 */
export async function measureFloor(options: {
  /** Of a database that is empty. */
  url: string;
  folder: string;
  orders: number;
  log: (line: string) => void;
}): Promise<{ fromTheOutbox: Floor; withCreateOrder: Floor }> {
  const { url, folder, orders, log } = options;
  const urls = (service: string): string =>
    `${url}?options=${encodeURIComponent(`-c search_path=${service}`)}`;
  for (const service of ['order', 'payment', 'delivery'] as const) {
    await run(url, `create schema "${service}"`);
    await migrate({ url: urls(service), directory: projectPath('prisma', service, 'migrations'), service });
  }
  await seedPeople(urls, couriers);

  let ordered = 0;
  const measure = async (file: string, clients: number, each: number, inserted: boolean): Promise<number> => {
    // Numbers are never used twice; where pgbench places the orders itself, they only tell its keys apart.
    const count = each * clients;
    const first = inserted ? await insertOrders(urls('order'), ordered + 1, count) : ordered + 1;
    ordered += count;
    await run(url, 'vacuum analyze');
    return pgbench(url, file, {
      ...{ clients, each },
      variables: { first, each, customers: people.customers, products: people.products },
    });
  };
  async function best(name: string, script: string, inserted: boolean): Promise<Floor> {
    const file = join(folder, `${name}.sql`);
    await writeFile(file, script);
    // On empty tables other plans are made than on those that hold something.
    await measure(file, 4, warmUp / 4, inserted);
    let floor: Floor = { ordersPerSecond: 0, clients: 0 };
    for (const clients of crews) {
      const ordersPerSecond = await measure(file, clients, Math.ceil(orders / clients), inserted);
      log(`floor ${name}, ${clients} clients: ${Math.round(ordersPerSecond)} orders/s`);
      if (ordersPerSecond > floor.ordersPerSecond) floor = { ordersPerSecond, clients };
    }
    return floor;
  }
  const result = {
    fromTheOutbox: await best('from-the-outbox', fromTheOutbox, true),
    withCreateOrder: await best('with-create-order', withCreateOrder, false),
  };
  await check(urls, ordered);
  return result;
}

/** Transactions a second. Its server's password is given by the environment, which others cannot see. */
async function pgbench(
  url: string,
  file: string,
  options: { clients: number; each: number; variables: ScriptVariables },
): Promise<number> {
  const { clients, each, variables } = options;
  const { hostname, port, username, password, pathname } = new URL(url);
  const run = promisify(execFile)(
    'pgbench',
    [
      ...['--no-vacuum', '--protocol=prepared', `--client=${clients}`, '--jobs=2', `--transactions=${each}`],
      ...Object.entries({ ...variables, n: 0 }).map(([name, value]) => `--define=${name}=${value}`),
      `--file=${file}`,
    ],
    {
      timeout: 600_000,
      env: {
        PATH: process.env['PATH'],
        ...{ PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: password },
        PGDATABASE: decodeURIComponent(pathname.slice(1)),
      },
    },
  );
  const { stdout } = await run.catch((error: Error & { code?: string; stderr?: string }) => {
    throw error.code === 'ENOENT'
      ? new Error('pgbench is missing: it comes with PostgreSQL (Debian: apt-get install postgresql-contrib)')
      : new Error(`pgbench failed: ${error.stderr || error.message}`);
  });
  const tps = /^tps = ([\d.]+)/m.exec(stdout)?.[1];
  if (tps === undefined) throw new Error(`pgbench says nothing of transactions: ${stdout}`);
  return Number(tps);
}

/** @throws Error unless every order came to its end: what was measured was whole lives */
async function check(urls: (service: string) => string, orders: number): Promise<void> {
  const counts = await Promise.all([
    run<{ count: string }>(urls('order'), `select count(*) from orders where state = 'COMPLETED/DELIVERED'`),
    run<{ count: string }>(urls('payment'), `select count(*) from ledger_entries where kind = 'CHARGE'`),
    run<{ count: string }>(urls('delivery'), `select count(*) from deliveries where status = 'DELIVERED'`),
    run<{ count: string }>(urls('order'), 'select count(*) + $1 as count from outbox', [orders]),
  ]);
  const numbers = counts.map(([row]) => Number(row?.count));
  if (numbers.some((count) => count !== orders))
    throw new Error(`of ${orders} orders these were completed, charged, delivered and relayed: ${numbers}`);
}
