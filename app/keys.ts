import { createLocalJWKSet } from 'jose';
import {
  createTokenSigner,
  createTokenVerifier,
  type SigningKeys,
  type TokenVerifier,
} from '../platform/auth/tokens.js';

/** Verifies the tokens that are signed with one of these keys. */
export async function verifierOf(keys: SigningKeys): Promise<TokenVerifier> {
  const { jwks } = await createTokenSigner({ ...keys, ttlMs: 0 });
  return createTokenVerifier(createLocalJWKSet(jwks));
}
