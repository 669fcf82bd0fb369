import { createPrivateKey, createPublicKey, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { startScript } from '../testing/script.js';
import { createTokens, newPrivateKey } from '../testing/tokens.js';
import { ownPrivateKey, remoteKeys } from './keys.js';
import { createTokenSigner, createTokenVerifier } from './tokens.js';

let folder: string;
let servers: Server[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doorstep-keys-'));
  servers = [];
});
afterEach(async () => {
  for (const server of servers) server.close().closeAllConnections();
  await rm(folder, { recursive: true, force: true });
});

const keyFile = () => join(folder, 'data', 'jwt-private-key.pem');
const own = () => ownPrivateKey(join(folder, 'data'));

/** Makes a key in another process, and prints its own view of it. */
const makeKey = (before = '') =>
  startScript(`
    import { ownPrivateKey } from './platform/auth/keys.ts';
    ${before}
    console.log(JSON.stringify(await ownPrivateKey(${JSON.stringify(join(folder, 'data'))})));`);

async function serve(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
}

test('the key is made once, for the owner alone to read, and found again', async () => {
  const first = await own();
  expect(createPrivateKey(first).asymmetricKeyType).toBe('ed25519');
  expect((await stat(keyFile())).mode & 0o777).toBe(0o600);
  expect(await own()).toBe(first);
  expect(await readdir(join(folder, 'data'))).toEqual(['jwt-private-key.pem']);
});

test('many that start for the first time at once agree on one key', async () => {
  const others = [makeKey(), makeKey()];
  const keys = await Promise.all([
    ...others.map(async (other) => JSON.parse(await other.line()) as string),
    ...Array.from({ length: 10 }, own),
  ]);
  await Promise.all(others.map((other) => other.kill()));
  expect(new Set(keys).size).toBe(1);
  expect(await readFile(keyFile(), 'utf8')).toBe(keys[0]);
});

test('a process killed while it writes the key leaves none, and the next one makes it', async () => {
  // The file system calls are held before the key is in its place; then comes kill -9.
  const killed = makeKey(`
    import fs from 'node:fs/promises';
    import { syncBuiltinESMExports } from 'node:module';
    const hold = async (path) => { console.log('about to link ' + path); await new Promise(() => setInterval(() => {}, 1000)); };
    fs.link = hold;
    syncBuiltinESMExports();`);
  expect(await killed.line()).toContain('about to link');
  await killed.kill();
  await expect(stat(keyFile())).rejects.toThrow('ENOENT');
  const key = await own();
  expect(createPrivateKey(key).asymmetricKeyType).toBe('ed25519');
  expect(await own()).toBe(key);
});

test('keys at a URL verify, and go on verifying while the URL is away', async () => {
  const { signer } = await createTokens();
  const url = await serve((_request, response) => response.end(JSON.stringify(signer.jwks)));
  const verifier = createTokenVerifier(remoteKeys(url));
  const token = async () => `Bearer ${(await signer.sign({ id: randomUUID(), role: 'ADMIN' })).accessToken}`;
  expect(await verifier.verify(await token())).toMatchObject({ role: 'ADMIN' });
  for (const server of servers) server.close().closeAllConnections();
  expect(await verifier.verify(await token())).toMatchObject({ role: 'ADMIN' });
});

test.each<[string, RequestListener | undefined]>([
  ['refuses connections', undefined],
  ['answers 500', (_request, response) => void response.writeHead(500).end()],
  ['answers something else', (_request, response) => void response.end('<html>')],
  ['answers no keys', (_request, response) => void response.end('{"keys":7}')],
  ['hangs up', (request) => void request.socket.destroy()],
])('while the key source %s a good token is not called wrong', async (_, handler) => {
  const { signer } = await createTokens();
  const url = handler ? await serve(handler) : 'http://127.0.0.1:1/jwks.json';
  const verifier = createTokenVerifier(remoteKeys(url));
  const { accessToken } = await signer.sign({ id: randomUUID(), role: 'ADMIN' });
  await expect(verifier.verify(`Bearer ${accessToken}`)).rejects.toMatchObject({
    extensions: { code: 'SERVICE_UNAVAILABLE' },
  });
});

test('a token of a key that the source does not list is wrong', async () => {
  const [ours, theirs] = [await createTokens(), await createTokens()];
  const url = await serve((_request, response) => response.end(JSON.stringify(ours.signer.jwks)));
  const { accessToken } = await theirs.signer.sign({ id: randomUUID(), role: 'ADMIN' });
  await expect(createTokenVerifier(remoteKeys(url)).verify(`Bearer ${accessToken}`)).rejects.toMatchObject({
    extensions: { code: 'UNAUTHENTICATED' },
  });
});

test('a key is changed without a token being refused: published first, then signed with, then taken away', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const [old, next] = [newPrivateKey(), newPrivateKey()];
  const publicOf = (pem: string) => createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString();
  const signerOf = (privateKey: string, ...previousKeys: string[]) =>
    createTokenSigner({ privateKey, previousKeys, ttlMs: 60_000 });
  let signer = await signerOf(old);
  const url = await serve((_request, response) => response.end(JSON.stringify(signer.jwks)));
  const verifier = createTokenVerifier(remoteKeys(url));
  const sign = async () => `Bearer ${(await signer.sign({ id: randomUUID(), role: 'ADMIN' })).accessToken}`;
  const first = await sign();
  await verifier.verify(first);
  signer = await signerOf(old, publicOf(next));
  await verifier.verify(await sign());
  vi.setSystemTime(Date.now() + 6_000);
  signer = await signerOf(next, old);
  await verifier.verify(await sign());
  await verifier.verify(await createToken(old));
  signer = await signerOf(next);
  await verifier.verify(await sign());
  const fresh = createTokenVerifier(remoteKeys(url));
  await fresh.verify(await sign());
  await expect(fresh.verify(first)).rejects.toMatchObject({ extensions: { code: 'UNAUTHENTICATED' } });

  async function createToken(privateKey: string) {
    const { accessToken } = await (await signerOf(privateKey)).sign({ id: randomUUID(), role: 'ADMIN' });
    return `Bearer ${accessToken}`;
  }
});

test('a key that signs and was there before is published once, and no private half ever', async () => {
  const [one, other] = [newPrivateKey(), newPrivateKey()];
  const { jwks } = await createTokenSigner({ privateKey: one, previousKeys: [other, one], ttlMs: 0 });
  expect(jwks.keys).toHaveLength(2);
  expect(jwks.keys.every((key) => !('d' in key))).toBe(true);
});
