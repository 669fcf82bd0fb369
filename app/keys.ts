import { createLocalJWKSet } from 'jose';
import { createTokenSigner, createTokenVerifier, type TokenVerifier } from '../platform/auth/tokens.js';

/** Verifies the tokens that are signed with this key. */
export async function verifierOf(privateKey: string): Promise<TokenVerifier> {
  const { jwks } = await createTokenSigner({ privateKey, ttlMs: 0 });
  return createTokenVerifier(createLocalJWKSet(jwks));
}
