import type { GatewayOptions } from '../gateway/index.js';
import type { Config } from '../platform/config.js';

/** What the environment says of the gateway, wherever it runs. */
export const gatewaySettings = (config: Config) =>
  ({
    readTimeoutMs: config.SERVER_READ_TIMEOUT,
    writeTimeoutMs: config.SERVER_WRITE_TIMEOUT,
    introspection: config.NODE_ENV !== 'production',
    executor: config.GATEWAY_EXECUTOR,
    dedup: config.REQUEST_DEDUP,
    ...(config.TRUSTED_PROXIES !== undefined && { trustedProxies: config.TRUSTED_PROXIES }),
    subscriptionPatienceMs: config.SUBSCRIPTION_PATIENCE,
    socketLimits: {
      operations: config.MAX_SOCKET_OPERATIONS,
      sockets: config.MAX_SOCKETS,
      socketsPerUser: config.MAX_SOCKETS_PER_USER,
      initTimeoutMs: config.CONNECTION_INIT_TIMEOUT,
      messageBytes: config.MAX_SOCKET_MESSAGE,
      bufferBytes: config.MAX_SOCKET_BUFFER,
    },
  }) satisfies Partial<GatewayOptions>;
