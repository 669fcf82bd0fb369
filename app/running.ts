import type { Bus } from '../platform/bus/bus.js';
import type { Config } from '../platform/config.js';
import type { Lifecycle } from '../platform/lifecycle.js';
import type { RunningSubgraph } from '../platform/subgraph/server.js';

/** What main.ts starts, announces and stops. */
export interface Running {
  /** http://host:port, where /graphql and /health are. */
  url: string;
  /** Whether a browser gets GraphiQL at /graphql. */
  page: boolean;
  /** Whether /.well-known/jwks.json is there too. */
  keys: boolean;
  /** Whether the demo accounts can log in there. */
  demoAccounts: boolean;
  metricsUrl: string | undefined;
  stop(): Promise<boolean>;
}

/**
 * How long one process of several goes on taking requests once it is told to stop, in ms. The gateway, and most
 * balancers, look at /health/ready each second.
 */
export const lameDuckMs = (config: Config): number => Math.min(1_500, config.SHUTDOWN_TIMEOUT / 4);

/**
 * Starts the bus, waiting for it however long, and what of the subgraphs needs it. Stopping goes the other way:
 * they take no more requests, then their workers end, then the bus.
 */
export async function runOnBus(
  lifecycle: Lifecycle,
  bus: Bus,
  subgraphs: readonly RunningSubgraph[],
): Promise<void> {
  async function begin(): Promise<void> {
    try {
      await bus.start(lifecycle.signal);
    } catch (error) {
      await bus.stop();
      throw error;
    }
  }
  await lifecycle.start('bus', begin, () => bus.stop());
  const all = (start: (subgraph: RunningSubgraph) => Promise<unknown>) => Promise.all(subgraphs.map(start));
  await all((subgraph) =>
    lifecycle.start(
      `${subgraph.name} workers`,
      () => subgraph.run(),
      (workers) => workers.stop(),
    ),
  );
  await all((subgraph) =>
    lifecycle.start(
      `${subgraph.name} door`,
      () => subgraph,
      ({ leave }) => leave(),
    ),
  );
}
