/**
 * One service as a process of its own, as `bin/doorstep <service>` starts it, but without a broker: nothing
 * happens here but reads, so that no event would travel. `node dist/bench/page/subgraph.js <service>`
 */
import { verifierOf } from '../../app/keys.js';
import { serveMetricsAt } from '../../app/metrics.js';
import { runOnBus } from '../../app/running.js';
import { startNamed } from '../../app/subgraphs.js';
import { remoteKeys } from '../../platform/auth/keys.js';
import { createTokenVerifier } from '../../platform/auth/tokens.js';
import type { Bus } from '../../platform/bus/bus.js';
import { loadConfig, serviceNames } from '../../platform/config.js';
import { Lifecycle } from '../../platform/lifecycle.js';
import { createLog } from '../../platform/log.js';

/** A bus that is always there and on which nothing comes. */
const quiet: Bus = {
  name: 'bus',
  ready: true,
  async publish() {},
  consume() {},
  listen() {},
  async start() {},
  async stop() {},
  deadLetters: async () => [],
  replayDeadLetters: async () => 0,
};

const name = serviceNames.find((known) => known === process.argv[2]);
if (!name) throw new Error(`a service is wanted: ${serviceNames.join(', ')}`);
const config = loadConfig(process.env, { services: [name], alone: true });
const log = createLog({ level: config.LOG_LEVEL, format: config.LOG_FORMAT, app: config.APP_NAME });
const lifecycle = new Lifecycle({ log, timeoutMs: config.SHUTDOWN_TIMEOUT });
process.on('SIGTERM', () => void lifecycle.stop().then((clean) => process.exit(clean ? 0 : 1)));

// Only `user` signs; the others ask it for the keys, as they do in production.
const { JWT_PRIVATE_KEY: privateKey = '', JWKS_URL = '' } = config;
const verifier = await (name === 'user' ? verifierOf(privateKey) : createTokenVerifier(remoteKeys(JWKS_URL)));
await lifecycle.begin(async () => {
  await serveMetricsAt(config, log, lifecycle);
  const subgraph = await lifecycle.start(
    name,
    () =>
      startNamed(name, {
        ...{ config, log, bus: quiet, verifier, privateKey },
        ...{ host: config.HOST, port: config.PORT, signal: lifecycle.signal },
      }),
    (started) => started.stop(),
  );
  await runOnBus(lifecycle, quiet, [subgraph]);
});
