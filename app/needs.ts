import type { SigningKeys } from '../platform/auth/tokens.js';
import { type Config, ConfigError, type ServiceName } from '../platform/config.js';

/** What a service cannot run alone without. */
export interface Needs {
  /** What signs tokens is with `user`; the others only verify them, by the keys at an address. */
  keys: Required<SigningKeys> | { jwksUrl: string };
}

/**
 * What a service needs to run alone. Imports nothing but settings, so that what is missing is told at once.
 * @throws ConfigError naming what is not set
 */
export function needsOf(service: ServiceName, config: Config): Needs {
  if (!config.KAFKA_BROKERS) throw new ConfigError('KAFKA_BROKERS must be set: several processes need it');
  const keys = service === 'user' ? signingKeys(config) : { jwksUrl: foundKeys(config) };
  checkPeers(service, config);
  return { keys };
}

/** Whom a service calls. */
const called: Partial<Record<ServiceName, ServiceName>> = { order: 'delivery', delivery: 'user' };
/** Who calls or is called. */
const acquainted: ReadonlySet<ServiceName> = new Set(['user', 'order', 'delivery']);

function checkPeers(service: ServiceName, { SERVICE_SECRET, SUBGRAPH_URLS }: Config): void {
  if (SERVICE_SECRET === undefined && acquainted.has(service))
    throw new ConfigError('SERVICE_SECRET must be set, the same for user, order and delivery');
  const other = called[service];
  if (other !== undefined && !SUBGRAPH_URLS?.[other])
    throw new ConfigError(`SUBGRAPH_URLS must have the address of ${other}`);
}

/** Where the keys of tokens are: at JWKS_URL, or else at the user service that SUBGRAPH_URLS names. */
export function jwksUrl({ JWKS_URL, SUBGRAPH_URLS }: Config): string | undefined {
  const user = SUBGRAPH_URLS?.['user'];
  return JWKS_URL ?? (user && new URL('/.well-known/jwks.json', user).href);
}

/** One that each process makes for itself would be another in each, and after each start on a new machine. */
function signingKeys({ JWT_PRIVATE_KEY, JWT_PREVIOUS_KEYS = [] }: Config): Required<SigningKeys> {
  if (JWT_PRIVATE_KEY !== undefined) return { privateKey: JWT_PRIVATE_KEY, previousKeys: JWT_PREVIOUS_KEYS };
  throw new ConfigError('JWT_PRIVATE_KEY must be set where there are several processes');
}

function foundKeys(config: Config): string {
  const url = jwksUrl(config);
  if (url !== undefined) return url;
  throw new ConfigError('JWKS_URL must be set, or SUBGRAPH_URLS with the address of user');
}
