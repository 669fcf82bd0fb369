import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  ConfigError,
  databaseUrl,
  loadConfig,
  type Purpose,
  type ServiceName,
  serviceNames,
} from './config.js';
import { parseDuration } from './duration.js';
import { newPrivateKey } from './testing/tokens.js';

function failure(env: Record<string, string>, purpose?: Purpose): string {
  try {
    loadConfig(env, purpose);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'nothing is wrong';
}

test('with nothing set, everything has its default', () => {
  expect(loadConfig({})).toMatchObject({
    NODE_ENV: 'development',
    PORT: 4000,
    DATA_DIR: '.data',
    ACCESS_TOKEN_TTL: 900_000,
    METRICS_ENABLED: true,
    METRICS_PORT: 9090,
    LOG_LEVEL: 'info',
    SERVER_READ_TIMEOUT: 15_000,
    SERVER_WRITE_TIMEOUT: 15_000,
    SHUTDOWN_TIMEOUT: 30_000,
    DELIVERY_STEP: 2_000,
    EVENT_RETENTION: 90 * 24 * 3_600_000,
    DEMO_DATA: true,
    DELIVERY_SIMULATION: true,
    embedded: true,
  });
});

test('lists are read part by part', () => {
  const read = loadConfig({
    TRUSTED_DOCUMENTS: 'a.json, b.json',
    CORS_ORIGINS: 'https://shop.example,http://localhost:3000',
    TRUSTED_PROXIES: 'loopback, 10.0.0.0/8 ,::1/128',
    RATE_LIMIT_RPS: '0',
  });
  expect(read).toMatchObject({
    TRUSTED_DOCUMENTS: ['a.json', 'b.json'],
    CORS_ORIGINS: ['https://shop.example', 'http://localhost:3000'],
    TRUSTED_PROXIES: ['loopback', '10.0.0.0/8', '::1/128'],
    RATE_LIMIT_RPS: Number.POSITIVE_INFINITY,
  });
  expect(loadConfig({ CORS_ORIGINS: '*' }).CORS_ORIGINS).toEqual(['*']);
});

test('an empty value is none', () => {
  expect(loadConfig({ PORT: '', DATABASE_URL: '', HOST: '', LOG_LEVEL: '' })).toEqual(loadConfig({}));
});

test('what is set is read', () => {
  expect(
    loadConfig({
      PORT: '0',
      HOST: '0.0.0.0',
      METRICS_ENABLED: 'false',
      DEMO_DATA: 'off',
      ACCESS_TOKEN_TTL: '2h',
      EVENT_RETENTION: '0',
      LOG_FORMAT: 'json',
    }),
  ).toMatchObject({
    PORT: 0,
    HOST: '0.0.0.0',
    METRICS_ENABLED: false,
    DEMO_DATA: false,
    ACCESS_TOKEN_TTL: 7_200_000,
    EVENT_RETENTION: 0,
    LOG_FORMAT: 'json',
  });
});

test.each([
  ['NODE_ENV', 'staging'],
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PORT', '40x'],
  ['METRICS_PORT', '1.5'],
  ['DATABASE_URL', 'mysql://127.0.0.1/x'],
  ['DATABASE_URL', 'nonsense'],
  ['USER_DATABASE_URL', 'http://127.0.0.1'],
  ['ORDER_DATABASE_URL', 'nonsense'],
  ['PAYMENT_DATABASE_URL', 'nonsense'],
  ['DELIVERY_DATABASE_URL', 'nonsense'],
  ['EVENT_DATABASE_URL', 'nonsense'],
  ['JWT_PRIVATE_KEY', 'secret'],
  ['JWKS_URL', 'ftp://127.0.0.1/jwks.json'],
  ['JWT_PREVIOUS_KEYS', 'secret'],
  ['JWT_PREVIOUS_KEYS', '-----BEGIN PUBLIC KEY-----\nsecret\n-----END PUBLIC KEY-----'],
  ['TRUSTED_PROXIES', 'localhost'],
  ['ACCESS_TOKEN_TTL', '15'],
  ['ACCESS_TOKEN_TTL', '25h'],
  ['SERVER_READ_TIMEOUT', '25d'],
  ['SERVER_WRITE_TIMEOUT', '-1s'],
  ['SHUTDOWN_TIMEOUT', '1 s'],
  ['DELIVERY_STEP', '2sec'],
  ['METRICS_ENABLED', 'yes'],
  ['LOG_LEVEL', 'loud'],
  ['LOG_FORMAT', 'xml'],
  ['SUBGRAPH_URLS', '{'],
  ['SUBGRAPH_URLS', '{"user":"nonsense"}'],
  ['SUBGRAPH_URLS', '[]'],
  ['DEMO_DATA', 'true'],
  ['DELIVERY_SIMULATION', '1'],
  ['DEPOT', '52.52'],
  ['DEPOT', '52.52,13.4,5'],
  ['DEPOT', '86,13.4'],
  ['DEPOT', '52.52,181'],
  ['DEPOT', '52.52;13.4'],
  ['DEPOT', '5e1,13'],
  ['DELIVERY_DEADLINE', '999ms'],
  ['DELIVERY_RADIUS', '0'],
  ['COURIER_MOVED_INTERVAL', '1'],
  ['REDIS_URL', 'http://127.0.0.1:6379'],
  ['RATE_LIMIT_RPS', '-1'],
  ['MAX_DEPTH', 'deep'],
  ['MAX_COST', '1e3'],
  ['INTROSPECTION', 'true'],
  ['TRUSTED_DOCUMENTS', 'a.json,,b.json'],
  ['CORS_ORIGINS', 'shop.example'],
  ['CORS_ORIGINS', 'https://shop.example/'],
  ['TRUSTED_PROXIES', 'proxy'],
  ['TRUSTED_PROXIES', '10.0.0.0/33'],
  ['TRUSTED_PROXIES', '10.0.0.0/8/8'],
  ['EVENT_RETENTION', '90'],
  ['EVENT_RETENTION', '2h'],
  ['EVENT_RETENTION', '0d'],
])('%s is refused in one line that names it and says what it takes: %s', (name, value) => {
  const message = failure({ [name]: value });
  expect(message).toMatch(new RegExp(`^${name} takes `));
  expect(message).not.toContain('\n');
});

test('a signing key of another kind is refused, and not shown', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });
  expect(failure({ JWT_PRIVATE_KEY: String(rsa) })).toBe(
    'JWT_PRIVATE_KEY takes an Ed25519 private key, PKCS#8 in PEM',
  );
});

test('a signing key may be written in one line', () => {
  const pem = newPrivateKey();
  expect(loadConfig({ JWT_PRIVATE_KEY: pem }).JWT_PRIVATE_KEY).toBe(pem);
  expect(loadConfig({ JWT_PRIVATE_KEY: pem.replaceAll('\n', '\\n') }).JWT_PRIVATE_KEY).toBe(pem);
});

test('keys that are published beside it are public or private, one after the other', () => {
  const pem = newPrivateKey();
  const publicPem = createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString();
  const { JWT_PREVIOUS_KEYS } = loadConfig({
    JWT_PREVIOUS_KEYS: `${publicPem}${pem}`.replaceAll('\n', '\\n'),
  });
  expect(JWT_PREVIOUS_KEYS).toEqual([publicPem.trim(), pem.trim()]);
});

test('a service has the database of its own variable, else the one of its name on the common server', () => {
  const config = loadConfig({
    DATABASE_URL: 'postgres://me:secret@db:5433/any?sslmode=require',
    ORDER_DATABASE_URL: 'postgres://other/orders',
  });
  expect(config.embedded).toBe(false);
  expect(databaseUrl(config, 'user')).toBe('postgres://me:secret@db:5433/user?sslmode=require');
  expect(databaseUrl(config, 'order')).toBe('postgres://other/orders');
  expect(databaseUrl(config, 'bus')).toBe('postgres://me:secret@db:5433/bus?sslmode=require');
});

test('a database for some services only is refused, naming what is missing', () => {
  expect(
    failure({ USER_DATABASE_URL: 'postgres://db/user', ORDER_DATABASE_URL: 'postgres://db/order' }),
  ).toBe('PAYMENT_DATABASE_URL, DELIVERY_DATABASE_URL, EVENT_DATABASE_URL must be set too, or DATABASE_URL');
  const all = Object.fromEntries(
    serviceNames.map((name) => [`${name.toUpperCase()}_DATABASE_URL`, `postgres://db/${name}`]),
  );
  const config = loadConfig(all);
  expect(config.embedded).toBe(false);
  expect(() => databaseUrl(config, 'bus')).toThrow(ConfigError);
});

test('a service alone needs its own database only, and a gateway none', () => {
  const only = (env: Record<string, string>, services: ServiceName[]) =>
    failure(env, { services, alone: true });
  const order = { ORDER_DATABASE_URL: 'postgres://db/order' };
  expect(only(order, ['order'])).toBe('nothing is wrong');
  expect(only(order, ['user'])).toBe('USER_DATABASE_URL must be set too, or DATABASE_URL');
  expect(only({}, ['user'])).toBe('USER_DATABASE_URL must be set, or DATABASE_URL');
  expect(only({ DATABASE_URL: 'postgres://db/any' }, ['user'])).toBe('nothing is wrong');
  expect(only({}, [])).toBe('nothing is wrong');
  expect(failure(order, { services: ['order'] })).toBe('nothing is wrong');
});

test('one process of several has nothing embedded and no demo data, and listens everywhere', () => {
  const own = { embedded: true, DEMO_DATA: true, DELIVERY_SIMULATION: true, HOST: '127.0.0.1' };
  const alone = { embedded: false, DEMO_DATA: false, DELIVERY_SIMULATION: false, HOST: '0.0.0.0' };
  expect(loadConfig({})).toMatchObject(own);
  expect(loadConfig({}, { services: ['order'] })).toMatchObject(own);
  expect(loadConfig({}, { services: [], alone: true })).toMatchObject(alone);
  expect(loadConfig({ DATABASE_URL: 'postgres://db/any' })).toMatchObject(alone);
  expect(loadConfig({ HOST: '127.0.0.1', DEMO_DATA: 'on' }, { services: [], alone: true })).toMatchObject({
    ...alone,
    ...{ HOST: '127.0.0.1', DEMO_DATA: true },
  });
});

test('demo data and the simulator are off with a database of yours, unless asked for', () => {
  const DATABASE_URL = 'postgres://db/any';
  expect(loadConfig({ DATABASE_URL })).toMatchObject({ DEMO_DATA: false, DELIVERY_SIMULATION: false });
  expect(loadConfig({ DATABASE_URL, DEMO_DATA: 'on', DELIVERY_SIMULATION: 'on' })).toMatchObject({
    DEMO_DATA: true,
    DELIVERY_SIMULATION: true,
  });
});

test('production takes no demo data, whether asked for or by default', () => {
  expect(failure({ NODE_ENV: 'production' })).toMatch(/^DEMO_DATA must be off/);
  expect(failure({ NODE_ENV: 'production', DATABASE_URL: 'postgres://db/any', DEMO_DATA: 'on' })).toMatch(
    /^DEMO_DATA must be off/,
  );
  expect(loadConfig({ NODE_ENV: 'production', DATABASE_URL: 'postgres://db/any' }).DEMO_DATA).toBe(false);
});

test('durations have a unit', () => {
  expect(['500ms', '2s', '5m', '2h', '24d', '0ms', ' 1s '].map(parseDuration)).toEqual([
    500, 2_000, 300_000, 7_200_000, 2_073_600_000, 0, 1_000,
  ]);
  expect(['', '5', '5 m', '1.5s', '-1s', '5M', 's', '1s2s', '25d', '999999999d'].map(parseDuration)).toEqual(
    Array(10).fill(undefined),
  );
});
