import { createHash, createPublicKey, randomUUID } from 'node:crypto';
import {
  type CryptoKey,
  importPKCS8,
  type JSONWebKeySet,
  type JWK,
  type JWTVerifyGetKey,
  jwtVerify,
  SignJWT,
} from 'jose';
import { LRUCache } from 'lru-cache';
import { problem } from '../errors.js';
import { isId } from '../ids.js';
import { type Principal, type Role, roles } from './principal.js';

const algorithm = 'EdDSA';
const issuer = 'doorstep';
const audience = 'doorstep';
/** Clocks of two machines differ; this much is forgiven. */
const toleranceSeconds = 5;

export interface TokenSigner {
  /** The public half, as /.well-known/jwks.json serves it. */
  readonly jwks: JSONWebKeySet;
  /** `rights` is how often what the user may do has changed, from 1; 1 unless told. */
  sign(user: { id: string; role: Role; rights?: number }): Promise<{ accessToken: string; expiresAt: Date }>;
}

/** The keys of access tokens, in PEM. */
export interface SigningKeys {
  /** PKCS#8. */
  privateKey: string;
  /** Others, whose public halves are published too, so that what they have signed, or will sign, is taken. */
  previousKeys?: readonly string[];
}

/** The public half of an Ed25519 key, which may be either half. */
function publicJwk(pem: string) {
  const jwk = createPublicKey(pem).export({ format: 'jwk' });
  const kid = createHash('sha256')
    .update(jwk.x ?? '')
    .digest('base64url')
    .slice(0, 16);
  return { ...jwk, kid, alg: algorithm, use: 'sig' };
}

/** Signs access tokens (JWT, Ed25519); `ttlMs` is how long one lives. */
export async function createTokenSigner(options: SigningKeys & { ttlMs: number }): Promise<TokenSigner> {
  const { privateKey, previousKeys = [] } = options;
  const key: CryptoKey = await importPKCS8(privateKey, algorithm);
  const own = publicJwk(privateKey);
  const { kid } = own;
  const others = previousKeys.map(publicJwk).filter((other) => other.kid !== kid);
  return {
    jwks: { keys: [own, ...others] as JWK[] },
    async sign(user) {
      const expiresAt = new Date(Math.floor((Date.now() + options.ttlMs) / 1000) * 1000);
      const accessToken = await new SignJWT({ role: user.role, rights: user.rights ?? 1 })
        .setProtectedHeader({ alg: algorithm, kid })
        .setSubject(user.id)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt()
        .setJti(randomUUID())
        .setExpirationTime(expiresAt)
        .sign(key);
      return { accessToken, expiresAt };
    },
  };
}

export interface TokenVerifier {
  /**
   * The principal of an `authorization` header value; null where there is none.
   * @throws UNAUTHENTICATED for anything but a valid bearer token; SERVICE_UNAVAILABLE when the keys cannot be had
   */
  verify(authorization: string | undefined): Promise<Principal | null>;
  /**
   * What `verify` would answer, where that is known at once: nobody, or whose token has been verified. A verifier
   * without it remembers nothing.
   */
  recall?(authorization: string | undefined): Principal | null | undefined;
}

/** Verifies access tokens against `keys`; a verified one is remembered until it ends. */
export function createTokenVerifier(keys: JWTVerifyGetKey): TokenVerifier {
  const verified = new LRUCache<string, Principal>({ max: 10_000 });

  async function check(token: string): Promise<Principal> {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: [algorithm],
      issuer,
      audience,
      clockTolerance: toleranceSeconds,
      requiredClaims: ['sub', 'exp'],
    });
    const role = roles.find((known) => known === payload['role']);
    if (!payload.sub || !isId(payload.sub) || !payload.exp || !role)
      throw new Error('the token names no user or role');
    // One that was signed before there was such a claim.
    const { rights = 1, scope } = payload;
    if (!Number.isSafeInteger(rights)) throw new Error('the token does not tell which rights');
    const scopes = typeof scope === 'string' ? { scopes: scope.split(' ') } : {};
    return { userId: payload.sub, role, expiresAt: payload.exp * 1000, rights: rights as number, ...scopes };
  }

  function recall(authorization: string | undefined): Principal | null | undefined {
    if (authorization === undefined || authorization === '') return null;
    const known = verified.get(tokenOf(authorization));
    return known && known.expiresAt + toleranceSeconds * 1000 > Date.now() ? known : undefined;
  }

  return {
    recall,
    async verify(authorization) {
      const known = recall(authorization);
      if (known !== undefined || authorization === undefined) return known ?? null;
      const token = tokenOf(authorization);
      if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw refused();
      try {
        const principal = await check(token);
        verified.set(token, principal);
        return principal;
      } catch (error) {
        throw keysAreAway(error)
          ? problem('SERVICE_UNAVAILABLE', 'Tokens cannot be checked now; try again.')
          : refused();
      }
    },
  };
}

const scheme = 'bearer ';

/** The token of an `authorization` header; an empty text where it has another scheme. */
const tokenOf = (authorization: string): string =>
  authorization.slice(0, scheme.length).toLowerCase() === scheme ? authorization.slice(scheme.length) : '';

const refused = () =>
  problem('UNAUTHENTICATED', 'The access token is wrong or has expired; log in again.', {
    http: { status: 401 },
  });

/** jose says what is wrong with a token by codes of these families; anything else is the key source's failure. */
function keysAreAway(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ERR_JWKS_TIMEOUT' || code === 'ERR_JWKS_INVALID' || code === 'ERR_JOSE_GENERIC') return true;
  return error instanceof TypeError && code === '';
}
