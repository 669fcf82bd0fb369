import { unlimited } from '../gateway/guard/guarded.js';
import { readTrustedDocuments } from '../gateway/guard/trusted-documents.js';
import type { Trusted } from '../gateway/http/persisted.js';
import type { GatewayOptions } from '../gateway/index.js';
import { type Config, ConfigError } from '../platform/config.js';

/** More than any client of ours has: who has more means harm. */
const structure = { aliases: 100, rootFields: 50, directives: 100 };

/**
 * What the environment says of the gateway, wherever it runs.
 * @throws ConfigError
 */
export const gatewaySettings = async (config: Config) =>
  ({
    readTimeoutMs: config.SERVER_READ_TIMEOUT,
    writeTimeoutMs: config.SERVER_WRITE_TIMEOUT,
    introspection: config.INTROSPECTION ?? config.NODE_ENV !== 'production',
    executor: config.GATEWAY_EXECUTOR,
    dedup: config.REQUEST_DEDUP,
    subscriptionPatienceMs: config.SUBSCRIPTION_PATIENCE,
    operationLimits: { ...unlimited, ...structure, depth: config.MAX_DEPTH, cost: config.MAX_COST },
    requestsPerSecond: config.RATE_LIMIT_RPS,
    corsOrigins: config.CORS_ORIGINS,
    trustedProxies: config.TRUSTED_PROXIES,
    trusted: await trustedOf(config),
    socketLimits: {
      operations: config.MAX_SOCKET_OPERATIONS,
      sockets: config.MAX_SOCKETS,
      socketsPerUser: config.MAX_SOCKETS_PER_USER,
      initTimeoutMs: config.CONNECTION_INIT_TIMEOUT,
      messageBytes: config.MAX_SOCKET_MESSAGE,
      bufferBytes: config.MAX_SOCKET_BUFFER,
    },
  }) satisfies Partial<GatewayOptions>;

async function trustedOf({ TRUSTED_DOCUMENTS: paths, NODE_ENV }: Config): Promise<Trusted | undefined> {
  const isProduction = NODE_ENV === 'production';
  if (paths === undefined && isProduction)
    throw new ConfigError(
      'TRUSTED_DOCUMENTS must be set where NODE_ENV is production: it names a manifest, or is off to run whatever is sent',
    );
  if (paths === undefined || paths.join() === 'off') return undefined;
  try {
    return { documents: await readTrustedDocuments(paths), only: isProduction };
  } catch (error) {
    throw new ConfigError((error as Error).message);
  }
}
