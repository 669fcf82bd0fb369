import { remoteKeys } from '../platform/auth/keys.js';
import { createTokenVerifier } from '../platform/auth/tokens.js';
import { createCaches } from '../platform/cache/caches.js';
import type { Config, ServiceName } from '../platform/config.js';
import { Lifecycle } from '../platform/lifecycle.js';
import type { Log } from '../platform/log.js';
import { createBus } from './bus.js';
import { verifierOf } from './keys.js';
import { serveMetricsAt } from './metrics.js';
import { needsOf } from './needs.js';
import { peersOf } from './peers.js';
import { startRedis } from './redis.js';
import { lameDuckMs, type Running, runOnBus } from './running.js';
import { startNamed } from './subgraphs.js';

/**
 * Starts one service, one process of several. It listens at once and waits for its database, then for the brokers,
 * however long; the keys of tokens it asks for when a token comes. Stops when `told` to while it starts.
 */
export async function startServiceAlone(
  name: ServiceName,
  config: Config,
  log: Log,
  told?: AbortSignal,
): Promise<Running> {
  const { keys } = needsOf(name, config);
  const peers = peersOf(config, (service) => config.SUBGRAPH_URLS?.[service]);
  const signing = 'privateKey' in keys ? keys : undefined;
  const verifier = await ('privateKey' in keys
    ? verifierOf(keys)
    : createTokenVerifier(remoteKeys(keys.jwksUrl)));
  const lifecycle = new Lifecycle({ log, timeoutMs: config.SHUTDOWN_TIMEOUT });
  return lifecycle.begin(async () => {
    const metricsUrl = await serveMetricsAt(config, log, lifecycle);
    const caches = createCaches(await startRedis(config, log, lifecycle), { isAlone: false });
    const bus = createBus(config, name, log);
    const subgraph = await lifecycle.start(
      name,
      () =>
        startNamed(name, {
          ...{ config, log, bus, verifier, peers, caches },
          keys: signing,
          host: config.HOST,
          port: config.PORT,
          lameDuckMs: lameDuckMs(config),
          signal: lifecycle.signal,
        }),
      (started) => started.stop(),
    );
    await runOnBus(lifecycle, bus, [subgraph]);
    return {
      url: new URL(subgraph.url).origin,
      page: false,
      keys: name === 'user',
      demoAccounts: name === 'user' && config.DEMO_DATA,
      metricsUrl,
      stop: () => lifecycle.stop(),
    };
  }, told);
}
