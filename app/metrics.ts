import type { Config } from '../platform/config.js';
import { createHttpServer, listen, reachable, serveMetrics } from '../platform/http.js';
import type { Lifecycle } from '../platform/lifecycle.js';
import type { Log } from '../platform/log.js';
import { collectProcessMetrics } from '../platform/metrics.js';

/** Serves the process's metrics on METRICS_PORT, unless METRICS_ENABLED is false; answers their address. */
export async function serveMetricsAt(
  config: Config,
  log: Log,
  lifecycle: Lifecycle,
): Promise<string | undefined> {
  if (!config.METRICS_ENABLED) return undefined;
  collectProcessMetrics();
  const http = createHttpServer({
    service: 'metrics',
    log,
    readTimeoutMs: config.SERVER_READ_TIMEOUT,
    writeTimeoutMs: config.SERVER_WRITE_TIMEOUT,
    missing: () => [],
  });
  serveMetrics(http);
  const port = await lifecycle.start(
    'metrics',
    () => listen(http, { host: config.HOST, port: config.METRICS_PORT }),
    () => http.close(),
  );
  return `http://${reachable(config.HOST)}:${port}/metrics`;
}
