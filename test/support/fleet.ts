import { generateKeyPairSync } from 'node:crypto';
import pg from 'pg';
import { freePort } from '../../platform/testing/ports.js';
import { createTestDatabase } from '../../platform/testing/postgres.js';
import { until } from '../../platform/testing/until.js';
import { type Client, createClient } from './client.js';
import { type Doorstep, runDoorstep } from './process.js';

/** The services of a fleet; `delivery 2` is a second replica. */
export const members = ['gateway', 'user', 'order', 'payment', 'delivery', 'delivery 2', 'event'] as const;
export type Member = (typeof members)[number];
const services = ['user', 'order', 'payment', 'delivery', 'event'] as const;
type Service = (typeof services)[number];

/** Every service as a process of its own, as in production; and a client of its gateway. */
export interface Fleet extends Client {
  /** Resolves once it and what it needs is ready. */
  start(member: Member): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(member: Member): Promise<void>;
  /** SIGTERM; resolves to its exit code. */
  terminate(member: Member): Promise<number | string>;
  /** Runs one statement on a service's database. */
  sql<R = Record<string, unknown>>(service: Service, text: string, values?: unknown[]): Promise<R[]>;
  /** The address of a process's metrics. */
  metricsUrl(member: Member): string;
  /** The address of a service's GraphQL. */
  subgraphUrl(service: Service): string;
}

/**
 * Starts seven processes on these brokers, on databases of their own on the test run's server, with demo data
 * and a quick simulator. `env` goes to each; `onEnd` is told how they end.
 */
export async function startFleet(options: {
  brokers: string;
  env?: Record<string, string>;
  onEnd: (end: () => Promise<void>) => void;
}): Promise<Fleet> {
  const { brokers, env = {}, onEnd } = options;
  const databases = new Map<Service, pg.Pool>();
  const urls = new Map<Service, string>();
  for (const service of services) {
    const { url, drop } = await createTestDatabase(service);
    const pool = new pg.Pool({ connectionString: url, max: 2 });
    pool.on('error', () => {});
    urls.set(service, url);
    databases.set(service, pool);
    onEnd(async () => {
      await pool.end();
      await drop();
    });
  }
  const ports = new Map(await Promise.all(members.map(async (name) => [name, await freePort()] as const)));
  const address = (member: Member) => `http://127.0.0.1:${ports.get(member)}`;
  const subgraphUrl = (service: Service) => `${address(service)}/graphql`;
  const subgraphUrls = Object.fromEntries(services.map((service) => [service, subgraphUrl(service)]));
  const privateKey = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });

  const running = new Map<Member, Doorstep>();
  function run(member: Member): Doorstep {
    const [command = ''] = member.split(' ');
    const service = services.find((name) => name === command);
    const doorstep = runDoorstep([command], {
      HOST: '127.0.0.1',
      PORT: String(ports.get(member)),
      SUBGRAPH_URLS: JSON.stringify(subgraphUrls),
      ...(service && {
        KAFKA_BROKERS: brokers,
        [`${service.toUpperCase()}_DATABASE_URL`]: urls.get(service) ?? '',
        DEMO_DATA: 'on',
        DELIVERY_SIMULATION: 'on',
        DELIVERY_STEP: '20ms',
      }),
      ...(service === 'user' && { JWT_PRIVATE_KEY: String(privateKey) }),
      ...env,
    });
    running.set(member, doorstep);
    return doorstep;
  }
  const end = async (member: Member, signal: NodeJS.Signals) => {
    const doorstep = running.get(member);
    running.delete(member);
    doorstep?.child.kill(signal);
    return (await doorstep?.ended) ?? 0;
  };

  onEnd(async () => {
    await Promise.all([...running.keys()].map((member) => end(member, 'SIGKILL')));
  });
  for (const member of members) run(member);
  await Promise.all([...running.values()].map(({ ready }) => ready));
  return {
    ...createClient(address('gateway')),
    start: async (member) => void (await run(member).ready),
    kill: async (member) => void (await end(member, 'SIGKILL')),
    terminate: (member) => end(member, 'SIGTERM'),
    metricsUrl: (member) => /Metrics +(\S+)/.exec(running.get(member)?.output() ?? '')?.[1] ?? '',
    subgraphUrl,
    async sql<R>(service: Service, text: string, values: unknown[] = []): Promise<R[]> {
      return (await databases.get(service)?.query(text, values))?.rows as R[];
    },
  };
}

/** Waits until every order of these has reached its end, and answers their statuses by id. */
export async function ends(fleet: Fleet, orderIds: string[], ms: number): Promise<Map<string, string>> {
  return until(
    'every order has reached its end',
    async () => {
      const rows = await fleet.sql<{ id: string; status: string }>(
        'order',
        `select id, status from orders where id = any($1::uuid[]) and status in ('COMPLETED', 'INSUFFICIENT_FUNDS')`,
        [orderIds],
      );
      return rows.length === orderIds.length && new Map(rows.map(({ id, status }) => [id, status]));
    },
    ms,
  );
}
