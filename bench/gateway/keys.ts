import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTokenSigner } from '../../platform/auth/tokens.js';
import { userId } from './data.js';

/** Serves the keys of tokens as the user service does, and has one token of a customer, for the whole run. */
export async function startKeys(): Promise<{ url: string; authorization: string; stop(): void }> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const signer = await createTokenSigner({
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ttlMs: 24 * 3_600_000,
  });
  const { accessToken } = await signer.sign({ id: userId(3), role: 'CUSTOMER' });
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(signer.jwks));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/.well-known/jwks.json`,
    authorization: `Bearer ${accessToken}`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
