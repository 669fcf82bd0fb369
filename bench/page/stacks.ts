import { join } from 'node:path';
import type { Executor } from '../../platform/config.js';
import { serviceNames } from '../../platform/config.js';
import { projectPath } from '../../platform/root.js';
import {
  type Child,
  type ChildOptions,
  freePort,
  startBuilt,
  startDoorstep,
  whenReady,
} from '../children.js';

/** What is compared; the stock stack comes first, since the others are told as multiples of it. */
export const stackNames = ['stock', 'apollo', 'doorstep'] as const;
export type StackName = (typeof stackNames)[number];

/** A gateway and the subgraphs behind it, each a process of its own. */
export interface Stack {
  name: StackName;
  /** The gateway's, http://host:port. */
  url: string;
  /** By part: gateway, user, order, payment, delivery. */
  pids: Map<string, number>;
  /** SQL statements that the subgraphs have run for reads so far. */
  statements(): Promise<number>;
}

export interface Stacks {
  stacks: Stack[];
  stop(): Promise<void>;
}

interface Subgraphs {
  urls: Record<string, string>;
  children: Map<string, Child>;
}

/** Who executes in a stack's subgraphs; in its gateway too, where that is ours. */
const executorOf = (name: StackName): Executor => (name === 'doorstep' ? 'doorstep' : 'apollo');

/** Starts the stacks of these names on one database server. Resolves once all are ready. */
export async function startStacks(
  names: readonly StackName[],
  options: {
    databaseUrl: string;
    privateKey: string;
    folder: string;
    /** Keeps CPU profiles of `doorstep` there. */
    profile?: string | undefined;
  },
): Promise<Stacks> {
  const { databaseUrl, privateKey, folder, profile } = options;
  const children: Child[] = [];
  const common = {
    ...{ NODE_ENV: 'production', HOST: '127.0.0.1', METRICS_PORT: '0' },
    // Whoever asks the gateway for anything here is the benchmark.
    ...{ INTROSPECTION: 'on', TRUSTED_DOCUMENTS: 'off', RATE_LIMIT_RPS: '1000000', DATA_DIR: folder },
  };
  /** What runs in production: a line for each request, in a file as a container's would be. */
  const logged = { LOG_LEVEL: 'debug', LOG_FORMAT: 'json' };
  function keep(child: Child): Child {
    children.push(child);
    return child;
  }
  const place = (stack: StackName, part: string): Omit<ChildOptions, 'env'> => ({
    folder,
    stdout: join(folder, `${stack}-${part}.log`),
    profile: stack === 'doorstep' && profile ? join(profile, `${part}.cpuprofile`) : undefined,
  });

  async function startSubgraphs(stack: StackName): Promise<Subgraphs> {
    const started = new Map<string, Child>();
    const ports = new Map<string, number>();
    for (const service of serviceNames) ports.set(service, await freePort());
    const urlOf = (service: string) => `http://127.0.0.1:${ports.get(service)}`;
    for (const service of serviceNames) {
      const env = {
        ...common,
        ...{
          PORT: String(ports.get(service)),
          DATABASE_URL: databaseUrl,
          SUBGRAPH_EXECUTOR: executorOf(stack),
        },
        ...(service === 'user' && { JWT_PRIVATE_KEY: privateKey }),
        JWKS_URL: `${urlOf('user')}/.well-known/jwks.json`,
        // Apollo Server by itself logs nothing.
        ...(stack === 'stock' ? { LOG_LEVEL: 'warn' } : logged),
      };
      started.set(service, keep(startBuilt('service.js', [service], { ...place(stack, service), env })));
    }
    for (const [service, child] of started) await whenReady(`${urlOf(service)}/health/ready`, [child]);
    return {
      urls: Object.fromEntries(serviceNames.map((service) => [service, `${urlOf(service)}/graphql`])),
      children: started,
    };
  }

  async function startGateway(name: StackName, subgraphs: Subgraphs): Promise<Stack> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const env = {
      ...common,
      ...{ PORT: String(port), SUBGRAPH_URLS: JSON.stringify(subgraphs.urls) },
      SUPERGRAPH_PATH: projectPath('gateway', 'supergraph.graphql'),
    };
    const gateway = keep(
      name === 'stock'
        ? startBuilt('page/stock.js', [], {
            ...place(name, 'gateway'),
            plain: true,
            env: { ...env, APOLLO_TELEMETRY_DISABLED: 'true' },
          })
        : startDoorstep(['gateway'], {
            ...place(name, 'gateway'),
            // What would spare a fetch here that costs one elsewhere stays off.
            env: { ...env, ...logged, GATEWAY_EXECUTOR: executorOf(name), REQUEST_DEDUP: 'off' },
          }),
    );
    if (name === 'stock')
      await whenReady(`${url}/graphql?query=%7B__typename%7D`, [gateway], {
        'apollo-require-preflight': 'yes',
      });
    else await whenReady(`${url}/health/ready`, [gateway]);
    const pids = [['gateway', gateway] as const, ...subgraphs.children];
    return {
      name,
      url,
      pids: new Map(pids.map(([part, child]) => [part, child.pid])),
      statements: () => statementsOf(Object.values(subgraphs.urls)),
    };
  }

  const stop = async () => void (await Promise.all(children.map((child) => child.stop())));
  try {
    const stacks: Stack[] = [];
    // Each has subgraphs of its own: code that is asked for twice as much gets hotter.
    for (const name of names) stacks.push(await startGateway(name, await startSubgraphs(name)));
    return { stacks, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function statementsOf(urls: readonly string[]): Promise<number> {
  const counts = await Promise.all(
    urls.map(async (url) => {
      const text = await (await fetch(new URL('/metrics', url))).text();
      const found = [...text.matchAll(/^postgres_reads_total\{.*\} (\d+)$/gm)];
      return found.reduce((sum, [, count]) => sum + Number(count), 0);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
