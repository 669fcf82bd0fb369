import { type Gateway, startGateway } from '../gateway/index.js';
import type { Config } from '../platform/config.js';
import { Lifecycle } from '../platform/lifecycle.js';
import type { Log } from '../platform/log.js';
import { serveMetricsAt } from './metrics.js';
import { readSupergraph } from './supergraph.js';

/** Starts the gateway alone, for any supergraph: it needs no database, and no keys where nobody logs in. Stops when `told` to while it starts. */
export async function startGatewayAlone(
  config: Config,
  log: Log,
  told?: AbortSignal,
): Promise<Pick<Gateway, 'url'> & { metricsUrl: string | undefined; stop(): Promise<boolean> }> {
  const lifecycle = new Lifecycle({ log, timeoutMs: config.SHUTDOWN_TIMEOUT });
  return lifecycle.begin(async () => {
    const supergraph = await readSupergraph(config);
    const gateway = await lifecycle.start(
      'gateway',
      () =>
        startGateway({
          host: config.HOST ?? '0.0.0.0',
          port: config.PORT,
          log,
          supergraph,
          ...(config.SUBGRAPH_URLS && { subgraphUrls: config.SUBGRAPH_URLS }),
          ...(config.JWKS_URL && { jwksUrl: config.JWKS_URL }),
          readTimeoutMs: config.SERVER_READ_TIMEOUT,
          writeTimeoutMs: config.SERVER_WRITE_TIMEOUT,
          introspection: config.NODE_ENV !== 'production',
        }),
      (running) => running.stop(),
    );
    const metricsUrl = await serveMetricsAt(config, log, lifecycle);
    return { url: gateway.url, metricsUrl, stop: () => lifecycle.stop() };
  }, told);
}
