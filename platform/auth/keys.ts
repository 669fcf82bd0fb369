import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRemoteJWKSet } from 'jose';

/**
 * The key source at a JWKS URL. Keys are kept for as long as the process lives, so that tokens can be
 * checked while the user service is away; an unknown key id asks anew, at most every 5 s.
 */
export const remoteKeys = (url: string) =>
  createRemoteJWKSet(new URL(url), {
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: 5_000,
    timeoutDuration: 5_000,
  });

/** The signing key in `dataDir`, made on the first call (mode 0600), so that tokens outlive a restart. PKCS#8 PEM. */
export async function ownPrivateKey(dataDir: string): Promise<string> {
  const path = join(dataDir, 'jwt-private-key.pem');
  await mkdir(dataDir, { recursive: true });
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  try {
    await writeFile(path, pem, { mode: 0o600, flag: 'wx' });
    return pem;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return readFile(path, 'utf8');
    throw error;
  }
}
