import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRemoteJWKSet } from 'jose';
import { ensureDataDir } from '../data-dir.js';

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

/**
 * The signing key in `dataDir`, made on the first call (mode 0600), so that tokens outlive a restart. PKCS#8 PEM.
 * It appears whole or not at all, and two that make one at once end up with the same.
 */
export async function ownPrivateKey(dataDir: string): Promise<string> {
  const folder = await ensureDataDir(dataDir);
  const path = join(folder, 'jwt-private-key.pem');
  const known = await readFile(path, 'utf8').catch(unless('ENOENT'));
  if (known !== undefined) return known;
  const { privateKey } = generateKeyPairSync('ed25519');
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    });
    await link(draft, path).catch(unless('EEXIST'));
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(path, 'utf8');
}

/** For `catch`: undefined for the error of this code, which is expected; every other is thrown on. */
const unless =
  (code: string) =>
  (error: NodeJS.ErrnoException): undefined => {
    if (error.code !== code) throw error;
  };
