import { randomBytes } from 'node:crypto';
import { createServiceTokens } from '../platform/auth/service-tokens.js';
import type { Config } from '../platform/config.js';
import type { Peers } from '../platform/subgraph/peers.js';

/**
 * The other services, by the addresses of their GraphQL. Where no secret is set nobody else can know it: that is for
 * services that are all in this process, or that neither call nor are called.
 */
export function peersOf({ SERVICE_SECRET }: Config, urlOf: (service: string) => string | undefined): Peers {
  return {
    tokens: createServiceTokens(SERVICE_SECRET ?? randomBytes(32).toString('base64url')),
    origin(service) {
      const url = urlOf(service);
      return url && new URL(url).origin;
    },
  };
}
