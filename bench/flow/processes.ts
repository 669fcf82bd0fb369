import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Child, freePort, startDoorstep, whenReady } from '../children.js';

/** What runs of the program: one process with the embedded bus, or one a service with Kafka between them. */
export interface Processes {
  /** The gateway's, http://host:port. */
  url: string;
  /** What all of them tell of themselves, as Prometheus reads it. */
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

export interface ProcessOptions {
  /** Of the environment, beside what is chosen here: ports, above all. */
  env: Record<string, string>;
  /** Several processes speak through these brokers. */
  brokers?: string | undefined;
  /** A folder that they may use as theirs. */
  folder: string;
  /** Keeps a CPU profile of each process there. */
  profile?: string | undefined;
}

const profileOf = (profile: string | undefined, name: string): string | undefined =>
  profile && join(profile, `${name}.cpuprofile`);

const services = ['user', 'order', 'payment', 'delivery', 'event'] as const;

/** Starts the built program, and resolves once the gateway says that all is ready. */
export async function startProcesses(options: ProcessOptions): Promise<Processes> {
  const { env, brokers, folder, profile } = options;
  const ports = new Map<string, number>();
  const metricsPorts: number[] = [];
  for (const name of ['gateway', ...services]) ports.set(name, await freePort());
  const urlOf = (name: string): string => `http://127.0.0.1:${ports.get(name)}`;
  const common = { ...env, HOST: '127.0.0.1' };
  const children: Child[] = [];
  async function start(command: string, name: string, more: Record<string, string> = {}): Promise<void> {
    const metricsPort = await freePort();
    metricsPorts.push(metricsPort);
    children.push(
      startDoorstep([command], {
        env: { ...common, PORT: String(ports.get(name)), METRICS_PORT: String(metricsPort), ...more },
        ...{ folder, profile: profileOf(profile, command) },
      }),
    );
  }
  if (brokers === undefined) await start('all', 'gateway');
  else {
    const JWKS_URL = `${urlOf('user')}/.well-known/jwks.json`;
    const subgraphs = services.map((name) => [name, `${urlOf(name)}/graphql`]);
    const shared = {
      ...{ KAFKA_BROKERS: brokers, JWKS_URL },
      SUBGRAPH_URLS: JSON.stringify(Object.fromEntries(subgraphs)),
      SERVICE_SECRET: randomBytes(32).toString('base64url'),
    };
    for (const name of [...services, 'gateway']) await start(name, name, shared);
  }
  const stop = async () => void (await Promise.all(children.map((child) => child.stop())));
  try {
    await whenReady(`${urlOf('gateway')}/health/ready`, children);
  } catch (error) {
    await stop();
    throw error;
  }
  const metrics = async () => {
    const texts = metricsPorts.map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
    return (await Promise.all(texts)).join('\n');
  };
  return { url: urlOf('gateway'), metrics, stop };
}

/** Applies the services' migrations. */
export async function applyMigrations({ env, folder }: ProcessOptions): Promise<void> {
  const child = startDoorstep(['migrate', 'up'], { env, folder });
  const code = await child.ended;
  if (code !== 0) throw new Error(`the migrations ended with ${code}:\n${child.output()}`);
}
