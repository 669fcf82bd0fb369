import { createPrivateKey, createPublicKey } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import { rightsKeptMs } from './auth/rights.js';
import { parseDuration } from './duration.js';

/** The environment is wrong; the message is one line that names the variable and what it takes. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** What timers take. */
const longestDuration = { ms: Number.POSITIVE_INFINITY, text: '24d' };

/** A length of time, of so many ms at least, and at most. */
const duration = (initial: string, least = 0, most: { ms: number; text: string } = longestDuration) =>
  z
    .string()
    .default(initial)
    .transform((text, context) => {
      const ms = parseDuration(text);
      if (ms !== undefined && ms >= least && ms <= most.ms) return ms;
      const range = least > 0 ? `at least ${least}ms and at most ${most.text}` : `at most ${most.text}`;
      context.addIssue({
        code: 'custom',
        message: `takes a duration such as 500ms, 2s or 5m, ${range}, not '${text}'`,
      });
      return z.NEVER;
    });

const dayMs = 24 * 60 * 60 * 1000;
/** A length of time in days, in ms, longer than any timer's; 0 is none. */
const days = (initial: string) =>
  z
    .string()
    .default(initial)
    .transform((text, context) => {
      const count = /^(0|([1-9]\d{0,4})d)$/.exec(text);
      if (count) return Number(count[2] ?? 0) * dayMs;
      context.addIssue({ code: 'custom', message: `takes days such as 90d, or 0, not '${text}'` });
      return z.NEVER;
    });

const integer = (initial: number, min: number, max: number) =>
  z
    .string()
    .default(String(initial))
    .transform((text, context) => {
      const value = Number(text);
      if (/^\d+$/.test(text) && value >= min && value <= max) return value;
      context.addIssue({
        code: 'custom',
        message: `takes a whole number from ${min} to ${max}, not '${text}'`,
      });
      return z.NEVER;
    });

/** 0 is none. */
const limit = (initial: number, max: number) =>
  integer(initial, 0, max).transform((value) => value || Number.POSITIVE_INFINITY);

/** Degrees north of the equator and east of Greenwich. */
const degrees = (initial: string) =>
  z
    .string()
    .default(initial)
    .transform((text, context) => {
      const [latitude = Number.NaN, longitude = Number.NaN, ...more] = text
        .split(',')
        .map((part) => (/^\s*[+-]?\d+(\.\d+)?\s*$/.test(part) ? Number(part) : Number.NaN));
      // At a pole every way leads south: nothing is east of a depot there.
      if (Math.abs(latitude) <= 85 && Math.abs(longitude) <= 180 && more.length === 0)
        return { latitude, longitude };
      context.addIssue({
        code: 'custom',
        message: `takes latitude and longitude in degrees, such as 52.5200,13.4050, not '${text}'`,
      });
      return z.NEVER;
    });

const choice = <const T extends string>(...values: [T, ...T[]]) =>
  z.enum(values, { error: (issue) => `takes ${values.join(' or ')}, not '${String(issue.input)}'` });

const onOff = () => choice('on', 'off').transform((value) => value === 'on');
const trueFalse = () => choice('true', 'false').transform((value) => value === 'true');

const postgresUrl = z.string().refine((text) => /^postgres(ql)?:$/.test(URL.parse(text)?.protocol ?? ''), {
  error: 'takes a postgres:// URL',
});

const redisUrl = z.string().refine((text) => /^rediss?:$/.test(URL.parse(text)?.protocol ?? ''), {
  error: 'takes a redis:// or rediss:// URL',
});

const httpUrl = z.string().refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), {
  error: 'takes an http:// or https:// URL',
});

const brokers = z.string().transform((text, context) => {
  const list = text.split(',').map((broker) => broker.trim());
  if (list.every((broker) => /^(\[[0-9a-f:]+\]|[\w.-]+):\d{1,5}$/i.test(broker))) return list;
  context.addIssue({
    code: 'custom',
    message: `takes host:port, or several with commas between, not '${text}'`,
  });
  return z.NEVER;
});

/** Several, with commas between. */
const list = (isOne: (part: string) => boolean, what: string) =>
  z.string().transform((text, context) => {
    const parts = text.split(',').map((part) => part.trim());
    const wrong = parts.find((part) => !isOne(part));
    if (wrong === undefined) return parts;
    context.addIssue({ code: 'custom', message: `takes ${what}, with commas between, not '${wrong}'` });
    return z.NEVER;
  });

const isOrigin = (text: string): boolean => text === '*' || URL.parse(text)?.origin === text;

function isNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', bits, ...more] = text.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return (
    more.length === 0 && most > 0 && (bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= most))
  );
}

const subgraphUrls = z.string().transform((text, context) => {
  try {
    return z.record(z.string(), httpUrl).parse(JSON.parse(text));
  } catch {
    context.addIssue({
      code: 'custom',
      message: `takes JSON such as {"user":"http://127.0.0.1:4001/graphql"}`,
    });
    return z.NEVER;
  }
});

/** PEM; line ends may be written `\\n`, for files that hold a variable in one line. */
const privateKey = z
  .string()
  .transform((text) => text.replaceAll('\\n', '\n'))
  .refine(isSigningKey, { error: 'takes an Ed25519 private key, PKCS#8 in PEM' });

function isSigningKey(pem: string): boolean {
  try {
    return pem.includes('BEGIN PRIVATE KEY') && createPrivateKey(pem).asymmetricKeyType === 'ed25519';
  } catch {
    return false;
  }
}

/** One or several PEMs, one after the other. */
const keys = z.string().transform((text, context) => {
  const pems = text.replaceAll('\\n', '\n').match(/-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----/g) ?? [];
  if (pems.length > 0 && pems.every(isVerifyingKey)) return pems;
  context.addIssue({ code: 'custom', message: 'takes Ed25519 keys, public or private, in PEM' });
  return z.NEVER;
});

function isVerifyingKey(pem: string): boolean {
  try {
    return createPublicKey(pem).asymmetricKeyType === 'ed25519';
  } catch {
    return false;
  }
}

export const executors = ['doorstep', 'apollo'] as const;
/** Who executes GraphQL: this project's own compiled path, or the stock one of Apollo. */
export type Executor = (typeof executors)[number];

/** The supergraph of this project's own subgraphs. */
export const ownSupergraph = 'gateway/supergraph.graphql';

const environment = z.object({
  NODE_ENV: choice('development', 'production', 'test').default('development'),
  PORT: integer(4000, 0, 65_535),
  HOST: z.string().min(1).optional(),
  DATA_DIR: z.string().min(1).default('.data'),
  DATABASE_URL: postgresUrl.optional(),
  USER_DATABASE_URL: postgresUrl.optional(),
  ORDER_DATABASE_URL: postgresUrl.optional(),
  PAYMENT_DATABASE_URL: postgresUrl.optional(),
  DELIVERY_DATABASE_URL: postgresUrl.optional(),
  EVENT_DATABASE_URL: postgresUrl.optional(),
  BUS_DATABASE_URL: postgresUrl.optional(),
  KAFKA_BROKERS: brokers.optional(),
  KAFKA_CLIENT_ID: z
    .string()
    .regex(/^[\w.-]{1,200}$/, { error: 'takes letters, digits, dots, dashes and underscores' })
    .default('doorstep'),
  KAFKA_COMPRESSION: choice('none', 'gzip', 'snappy', 'lz4', 'zstd').default('snappy'),
  KAFKA_BATCH_SIZE: integer(100, 1, 10_000),
  KAFKA_MAX_RETRIES: integer(3, 1, 100),
  REDIS_URL: redisUrl.optional(),
  JWT_PRIVATE_KEY: privateKey.optional(),
  JWT_PREVIOUS_KEYS: keys.optional(),
  JWKS_URL: httpUrl.optional(),
  SERVICE_SECRET: z.string().min(32, { error: 'takes at least 32 characters' }).optional(),
  // Whose tokens are over before their time is remembered for so long.
  ACCESS_TOKEN_TTL: duration('15m', 0, { ms: rightsKeptMs, text: '24h' }),
  METRICS_ENABLED: trueFalse().default(true),
  METRICS_PORT: integer(9090, 0, 65_535),
  LOG_LEVEL: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent').default('info'),
  LOG_FORMAT: choice('json', 'text').default('text'),
  APP_NAME: z.string().min(1).default('doorstep'),
  SERVER_READ_TIMEOUT: duration('15s'),
  SERVER_WRITE_TIMEOUT: duration('15s'),
  SHUTDOWN_TIMEOUT: duration('30s'),
  SUPERGRAPH_PATH: z.string().min(1).default(ownSupergraph),
  SUBGRAPH_URLS: subgraphUrls.optional(),
  GATEWAY_EXECUTOR: choice(...executors).default('doorstep'),
  SUBGRAPH_EXECUTOR: choice(...executors).default('doorstep'),
  REQUEST_DEDUP: onOff().default(true),
  MAX_SOCKETS: limit(50_000, 10_000_000),
  MAX_SOCKETS_PER_USER: limit(100, 10_000_000),
  MAX_SOCKET_OPERATIONS: limit(100, 1_000_000),
  MAX_SOCKET_MESSAGE: integer(1024 * 1024, 1024, 64 * 1024 * 1024),
  MAX_SOCKET_BUFFER: integer(1024 * 1024, 1024, 1024 * 1024 * 1024),
  CONNECTION_INIT_TIMEOUT: duration('10s'),
  RATE_LIMIT_RPS: limit(200, 1_000_000),
  MAX_DEPTH: integer(20, 0, 1_000),
  MAX_COST: integer(10_000, 0, 1_000_000_000),
  INTROSPECTION: onOff().optional(),
  TRUSTED_DOCUMENTS: list((path) => path !== '', 'paths of files').optional(),
  CORS_ORIGINS: list(isOrigin, 'origins such as https://shop.example').default([]),
  TRUSTED_PROXIES: list(isNetwork, 'addresses, networks such as 10.0.0.0/8, or loopback').default([]),
  SUBSCRIPTION_PATIENCE: duration('1m'),
  DELIVERY_SIMULATION: onOff().optional(),
  DELIVERY_STEP: duration('2s'),
  DELIVERY_DEADLINE: duration('2h', 1_000),
  DELIVERY_MAX_ATTEMPTS: integer(3, 1, 100),
  DEPOT: degrees('52.5200,13.4050'),
  DELIVERY_RADIUS: integer(5_000, 1, 100_000),
  COURIER_MOVED_INTERVAL: duration('1s'),
  COURIER_ASSIGNMENT: choice('auto', 'manual').default('auto'),
  EVENT_RETENTION: days('90d'),
  DEMO_DATA: onOff().optional(),
});

/** The names of all variables that are read. */
export const variables: readonly string[] = Object.keys(environment.shape);

export const serviceNames = ['user', 'order', 'payment', 'delivery', 'event'] as const;
export type ServiceName = (typeof serviceNames)[number];

export interface Config
  extends Omit<z.infer<typeof environment>, 'HOST' | 'DEMO_DATA' | 'DELIVERY_SIMULATION'> {
  HOST: string;
  DEMO_DATA: boolean;
  DELIVERY_SIMULATION: boolean;
  /** True when no database is named: a PostgreSQL of our own is started under DATA_DIR. */
  embedded: boolean;
}

/** What the environment is read for: which settings must be there depends on it. */
export interface Purpose {
  /** Whose databases are needed: everyone's unless told. */
  services?: readonly ServiceName[];
  /** One process of several: none of what it needs is started with it. */
  alone?: boolean;
}

/**
 * Reads and checks the whole environment once. An empty value counts as unset.
 * @throws ConfigError naming the first variable that is wrong
 */
export function loadConfig(env: Record<string, string | undefined>, purpose: Purpose = {}): Config {
  const { services = serviceNames, alone = false } = purpose;
  const set = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environment.safeParse(set);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ConfigError(`${issue?.path.join('.')} ${issue?.message}`);
  }
  const values = parsed.data;
  const named = serviceNames.filter((name) => databaseVariable(values, name) !== undefined);
  const embedded = !alone && values.DATABASE_URL === undefined && named.length === 0;
  const unnamed = embedded ? [] : services.filter((name) => !named.includes(name));
  if (unnamed.length > 0 && values.DATABASE_URL === undefined) {
    const missing = unnamed.map((name) => `${name.toUpperCase()}_DATABASE_URL`).join(', ');
    throw new ConfigError(`${missing} must be set${named.length > 0 ? ' too' : ''}, or DATABASE_URL`);
  }
  const demo = values.DEMO_DATA ?? embedded;
  if (demo && values.NODE_ENV === 'production') {
    throw new ConfigError('DEMO_DATA must be off where NODE_ENV is production: its passwords are public');
  }
  return {
    ...values,
    HOST: values.HOST ?? (embedded ? '127.0.0.1' : '0.0.0.0'),
    DEMO_DATA: demo,
    DELIVERY_SIMULATION: values.DELIVERY_SIMULATION ?? embedded,
    embedded,
  };
}

const databaseVariable = (values: z.infer<typeof environment>, service: ServiceName): string | undefined =>
  values[`${service.toUpperCase() as Uppercase<ServiceName>}_DATABASE_URL`];

/** The database of a service: its own variable, else the one of that name on the server of DATABASE_URL. */
export function databaseUrl(config: Config, service: string): string {
  const own = (config as unknown as Record<string, unknown>)[`${service.toUpperCase()}_DATABASE_URL`];
  if (typeof own === 'string') return own;
  if (config.DATABASE_URL === undefined) throw new ConfigError('DATABASE_URL is not set');
  const url = new URL(config.DATABASE_URL);
  url.pathname = `/${service}`;
  return url.toString();
}
