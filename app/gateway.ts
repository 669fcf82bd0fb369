import { startGateway } from '../gateway/index.js';
import type { Config } from '../platform/config.js';
import { Lifecycle } from '../platform/lifecycle.js';
import type { Log } from '../platform/log.js';
import { gatewaySettings } from './gateway-settings.js';
import { serveMetricsAt } from './metrics.js';
import { jwksUrl } from './needs.js';
import { startRedis } from './redis.js';
import { lameDuckMs, type Running } from './running.js';
import { readSupergraph, supergraphPath } from './supergraph.js';
import { watchSupergraph } from './supergraph-watch.js';

/** Starts the gateway alone, for any supergraph: it needs no database, and no keys where nobody logs in. Stops when `told` to while it starts. */
export async function startGatewayAlone(config: Config, log: Log, told?: AbortSignal): Promise<Running> {
  const lifecycle = new Lifecycle({ log, timeoutMs: config.SHUTDOWN_TIMEOUT });
  const keys = jwksUrl(config);
  if (keys === undefined) log.info({ service: 'gateway' }, 'no JWKS_URL: every access token is refused');
  return lifecycle.begin(async () => {
    const [supergraph, settings] = await Promise.all([readSupergraph(config), gatewaySettings(config)]);
    const redis = await startRedis(config, log, lifecycle);
    const gateway = await lifecycle.start(
      'gateway',
      () =>
        startGateway({
          host: config.HOST,
          port: config.PORT,
          log,
          supergraph,
          ...(config.SUBGRAPH_URLS && { subgraphUrls: config.SUBGRAPH_URLS }),
          ...(keys !== undefined && { jwksUrl: keys }),
          ...settings,
          redis,
          lameDuckMs: lameDuckMs(config),
        }),
      (running) => running.stop(),
    );
    await lifecycle.start(
      'supergraph watch',
      () => watchSupergraph({ path: supergraphPath(config), served: supergraph, swap: gateway.swap, log }),
      (watch) => watch.stop(),
    );
    const metricsUrl = await serveMetricsAt(config, log, lifecycle);
    return {
      url: gateway.url,
      page: true,
      keys: keys !== undefined,
      demoAccounts: false,
      metricsUrl,
      stop: () => lifecycle.stop(),
    };
  }, told);
}
