import { generateKeyPairSync } from 'node:crypto';
import { createLocalJWKSet } from 'jose';
import {
  createTokenSigner,
  createTokenVerifier,
  type TokenSigner,
  type TokenVerifier,
} from '../auth/tokens.js';

export const newPrivateKey = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** A signer with a key of its own, and who believes it. */
export async function createTokens(options: { ttlMs?: number; privateKey?: string } = {}): Promise<{
  signer: TokenSigner;
  verifier: TokenVerifier;
}> {
  const { ttlMs = 60_000, privateKey = newPrivateKey() } = options;
  const signer = await createTokenSigner({ privateKey, ttlMs });
  return { signer, verifier: createTokenVerifier(createLocalJWKSet(signer.jwks)) };
}
