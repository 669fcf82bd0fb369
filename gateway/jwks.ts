import type { FastifyInstance } from 'fastify';
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import type { Agent } from 'undici';
import { remoteKeys } from '../platform/auth/keys.js';
import { createTokenVerifier, type TokenVerifier } from '../platform/auth/tokens.js';
import { problem } from '../platform/errors.js';
import type { Log } from '../platform/log.js';

const freshForMs = 60_000;
const timeoutMs = 5_000;

/** Verifies by the keys at `jwksUrl`; without one, no token is accepted, and no token is still nobody. */
export const gatewayVerifier = (jwksUrl: string | undefined): TokenVerifier =>
  createTokenVerifier(jwksUrl === undefined ? createLocalJWKSet({ keys: [] }) : remoteKeys(jwksUrl));

/**
 * Serves the keys at /.well-known/jwks.json, as had from `jwksUrl`: asked for again after a minute, and the
 * last ones while they cannot be had. 503 where they never could, 404 without a `jwksUrl`.
 */
export function serveKeys(
  app: FastifyInstance,
  options: { jwksUrl?: string; connections: Agent; log: Log },
): void {
  const { jwksUrl, connections, log } = options;
  if (jwksUrl === undefined) return;
  const { origin, pathname, search } = new URL(jwksUrl);
  let known: { keys: JSONWebKeySet; at: number } | undefined;

  async function keys(): Promise<JSONWebKeySet | undefined> {
    if (known && Date.now() - known.at < freshForMs) return known.keys;
    try {
      const response = await connections.request({
        origin,
        path: pathname + search,
        method: 'GET',
        signal: AbortSignal.timeout(timeoutMs),
      });
      const body: unknown = await response.body.json();
      if (response.statusCode !== 200 || !isKeySet(body))
        throw new Error(`no keys, HTTP ${response.statusCode}`);
      known = { keys: body, at: Date.now() };
    } catch (error) {
      log.warn({ service: 'gateway', err: error }, 'the keys of tokens cannot be had');
    }
    return known?.keys;
  }

  app.get('/.well-known/jwks.json', async (_request, reply) => {
    const set = await keys();
    if (set) return reply.header('cache-control', 'public, max-age=60').send(set);
    return reply
      .code(503)
      .send({ errors: [problem('SERVICE_UNAVAILABLE', 'The keys cannot be had now; try again.')] });
  });
}

const isKeySet = (value: unknown): value is JSONWebKeySet =>
  typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys);
