import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { migrate } from '../../platform/migrate.js';
import { projectPath } from '../../platform/root.js';
import { type Counter, countNothing, type Statements, sum } from './counts.js';
import { fromTheOutbox, type ScriptVariables, withCreateOrder } from './script.js';
import { insertOrders, people, run, seedPeople } from './seed.js';

/** How many clients of pgbench are tried: the best result is the floor. */
const crews = [4, 8, 16];
/** Each client has one delivery under way; more would do nothing. */
const couriers = 2 * Math.max(...crews);

const warmUp = 200;

export interface Floor {
  ordersPerSecond: number;
  clients: number;
  /** Of one order. */
  statements: Statements;
}

/**
 * What PostgreSQL alone can do: the services' statements for one order after the other (script.ts), driven by
 * pgbench with prepared statements, on tables made by the services' own migrations. Statements are counted in
 * rounds that are not timed.
 */
export async function measureFloor(options: {
  /** Of a database that is empty. */
  url: string;
  counter: Counter;
  folder: string;
  orders: number;
  log: (line: string) => void;
}): Promise<{ fromTheOutbox: Floor; withCreateOrder: Floor }> {
  const { url, counter, folder, orders, log } = options;
  const urls = (service: string): string =>
    `${url}?options=${encodeURIComponent(`-c search_path=${service}`)}`;
  for (const service of ['order', 'payment', 'delivery'] as const) {
    await run(url, `create schema "${service}"`);
    await migrate({ url: urls(service), directory: projectPath('prisma', service, 'migrations'), service });
  }
  await seedPeople(urls, couriers);

  let ordered = 0;
  interface Round {
    file: string;
    clients: number;
    /** Orders of each client. */
    each: number;
    inserted: boolean;
    counted?: boolean;
  }
  const measure = async ({ file, clients, each, inserted, counted = false }: Round): Promise<number> => {
    // Numbers are never used twice; where pgbench places the orders itself, they only tell its keys apart.
    const count = each * clients;
    const first = inserted ? await insertOrders(urls('order'), ordered + 1, count) : ordered + 1;
    ordered += count;
    await run(url, 'vacuum analyze');
    await counter.reset();
    return pgbench(url, file, {
      ...{ clients, each, counted },
      variables: { first, each, customers: people.customers, products: people.products },
    });
  };
  async function best(name: string, script: string, inserted: boolean): Promise<Floor> {
    const file = join(folder, `${name}.sql`);
    await writeFile(file, script);
    // On empty tables other plans are made than on those that hold something.
    await measure({ ...{ file, inserted, counted: true }, clients: 4, each: warmUp / 4 });
    const { sent, within } = sum(await counter.read());
    const statements = { sent: sent / warmUp, within: within / warmUp };
    let floor: Floor = { ordersPerSecond: 0, clients: 0, statements };
    for (const clients of crews) {
      const each = Math.ceil(orders / clients);
      const ordersPerSecond = await measure({ file, clients, each, inserted });
      log(`floor ${name}, ${clients} clients: ${Math.round(ordersPerSecond)} orders/s`);
      if (ordersPerSecond > floor.ordersPerSecond) floor = { ordersPerSecond, clients, statements };
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
  options: { clients: number; each: number; counted: boolean; variables: ScriptVariables },
): Promise<number> {
  const { clients, each, counted, variables } = options;
  const { hostname, port, username, password, pathname } = new URL(url);
  // Of a prepared BEGIN or COMMIT, PostgreSQL counts the first run alone.
  const protocol = counted ? 'extended' : 'prepared';
  const run = promisify(execFile)(
    'pgbench',
    [
      ...[
        '--no-vacuum',
        `--protocol=${protocol}`,
        `--client=${clients}`,
        '--jobs=2',
        `--transactions=${each}`,
      ],
      ...Object.entries({ ...variables, n: 0 }).map(([name, value]) => `--define=${name}=${value}`),
      `--file=${file}`,
    ],
    {
      timeout: 600_000,
      env: {
        PATH: process.env['PATH'],
        ...{ PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: password },
        PGDATABASE: decodeURIComponent(pathname.slice(1)),
        // Triggers name their own service's tables.
        PGOPTIONS: `${counted ? '' : countNothing} -c search_path=payment,delivery,order`,
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
    run<{ count: string }>(
      urls('delivery'),
      `select count(*) from deliveries where status = 'DELIVERED' and deadline > now() and estimated_at is not null`,
    ),
    run<{ count: string }>(urls('order'), 'select count(courier_user_id) from orders'),
    run<{ count: string }>(urls('payment'), 'select count(*) + $1 as count from ledger_faults', [orders]),
    run<{ count: string }>(urls('order'), 'select count(*) + $1 as count from outbox', [orders]),
  ]);
  const numbers = counts.map(([row]) => Number(row?.count));
  if (numbers.some((count) => count !== orders))
    throw new Error(
      `of ${orders} orders these were completed, charged, delivered, with a courier, well booked, relayed: ${numbers}`,
    );
}
