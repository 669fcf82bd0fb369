import type { FastifyInstance } from 'fastify';
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { remoteKeys } from '../platform/auth/keys.js';
import { createTokenVerifier, type TokenVerifier } from '../platform/auth/tokens.js';
import { createCaller } from '../platform/calls/caller.js';
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
export function serveKeys(app: FastifyInstance, { jwksUrl, log }: { jwksUrl?: string; log: Log }): void {
  if (jwksUrl === undefined) return;
  const caller = createCaller({ part: 'keys', url: jwksUrl, timeoutMs, log });
  app.addHook('onClose', () => caller.close());
  let known: { keys: JSONWebKeySet; at: number } | undefined;

  async function keys(): Promise<JSONWebKeySet | undefined> {
    if (known && Date.now() - known.at < freshForMs) return known.keys;
    try {
      const { status, text } = await caller.call({ method: 'GET', headers: {}, safe: true });
      const body: unknown = JSON.parse(text);
      if (status !== 200 || !isKeySet(body)) throw new Error(`no keys, HTTP ${status}`);
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
