import { createPrivateKey, randomUUID } from 'node:crypto';
import { createLocalJWKSet, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { createTokens, newPrivateKey } from '../testing/tokens.js';
import { createTokenSigner, createTokenVerifier, type TokenVerifier } from './tokens.js';

const user = () => ({ id: randomUUID(), role: 'COURIER' as const });
const refused = { extensions: { code: 'UNAUTHENTICATED' } };
const verify = (verifier: TokenVerifier, token: string) => verifier.verify(`Bearer ${token}`);

test('a signed token says who it was signed for, and until when', async () => {
  const { signer, verifier } = await createTokens({ ttlMs: 60_000 });
  const { id, role } = user();
  const { accessToken, expiresAt } = await signer.sign({ id, role });
  expect(expiresAt.getTime() - Date.now()).toBeGreaterThan(58_000);
  const principal = { userId: id, role, expiresAt: expiresAt.getTime(), rights: 1 };
  expect(await verify(verifier, accessToken)).toEqual(principal);
  expect(await verify(verifier, accessToken)).toEqual(principal);
  expect(await verifier.verify(`bearer ${accessToken}`)).toEqual(principal);
});

test('without a token there is nobody', async () => {
  const { verifier } = await createTokens();
  expect(await verifier.verify(undefined)).toBeNull();
  expect(await verifier.verify('')).toBeNull();
});

test('what has been verified is recalled at once, and nothing else is', async () => {
  const { signer, verifier } = await createTokens();
  const { accessToken } = await signer.sign(user());
  const authorization = `Bearer ${accessToken}`;
  expect(verifier.recall?.(undefined)).toBeNull();
  expect(verifier.recall?.(authorization)).toBeUndefined();
  const principal = await verifier.verify(authorization);
  expect(verifier.recall?.(authorization)).toEqual(principal);
  for (const other of [
    accessToken,
    `Basic ${accessToken}`,
    `${authorization} `,
    `Bearer  ${accessToken}`,
    'Bearer ',
    'B',
  ])
    expect(verifier.recall?.(other), other).toBeUndefined();
});

test.each(['Bearer', 'Bearer x', 'Bearer a.b.c', 'Basic YTpi', 'Bearer  a.b.c', 'a.b.c'])(
  'what is no bearer token is refused: %s',
  async (authorization) => {
    const { verifier } = await createTokens();
    await expect(verifier.verify(authorization)).rejects.toMatchObject(refused);
  },
);

test('no two tokens are the same, and the published key is public only', async () => {
  const { signer } = await createTokens();
  const who = user();
  expect((await signer.sign(who)).accessToken).not.toBe((await signer.sign(who)).accessToken);
  expect(signer.jwks.keys).toHaveLength(1);
  expect(Object.keys(signer.jwks.keys[0] ?? {}).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
});

test('a key signs under the same id after a restart', async () => {
  const privateKey = newPrivateKey();
  const [before, after] = [await createTokens({ privateKey }), await createTokens({ privateKey })];
  const { accessToken } = await before.signer.sign(user());
  expect(await verify(after.verifier, accessToken)).toMatchObject({ role: 'COURIER' });
});

describe('a forged token is refused', () => {
  /** A token as ours, but for what `change` does to it. */
  async function forge(
    change: (jwt: SignJWT) => SignJWT,
    options: { key?: Parameters<SignJWT['sign']>[0] } = {},
  ) {
    const privateKey = newPrivateKey();
    const { signer, verifier } = await createTokens({ privateKey });
    const jwt = new SignJWT({ role: 'ADMIN' })
      .setProtectedHeader({ alg: 'EdDSA', kid: signer.jwks.keys[0]?.kid ?? '' })
      .setSubject(randomUUID())
      .setIssuer('doorstep')
      .setAudience('doorstep')
      .setExpirationTime('1m');
    const token = await change(jwt).sign(options.key ?? createPrivateKey(privateKey));
    return { token, verifier, signer };
  }

  test('unlike one that is right in everything', async () => {
    const { token, verifier } = await forge((jwt) => jwt);
    expect(await verify(verifier, token)).toMatchObject({ role: 'ADMIN' });
  });

  test.each<[string, (jwt: SignJWT) => SignJWT]>([
    ['of another issuer', (jwt) => jwt.setIssuer('elsewhere')],
    ['for another audience', (jwt) => jwt.setAudience('elsewhere')],
    ['that has expired', (jwt) => jwt.setExpirationTime(Math.floor(Date.now() / 1000) - 6)],
    ['that begins in the future', (jwt) => jwt.setNotBefore('1h')],
  ])('%s', async (_, change) => {
    const { token, verifier } = await forge(change);
    await expect(verify(verifier, token)).rejects.toMatchObject(refused);
  });

  test.each([
    ['without an end', { sub: randomUUID(), role: 'ADMIN' }],
    ['without a user', { role: 'ADMIN', exp: 4_000_000_000 }],
    ['without a role', { sub: randomUUID(), exp: 4_000_000_000 }],
    ['with a role that does not exist', { sub: randomUUID(), role: 'OWNER', exp: 4_000_000_000 }],
  ])('%s', async (_, claims) => {
    const privateKey = newPrivateKey();
    const { signer, verifier } = await createTokens({ privateKey });
    const token = await new SignJWT({ ...claims, iss: 'doorstep', aud: 'doorstep' })
      .setProtectedHeader({ alg: 'EdDSA', kid: signer.jwks.keys[0]?.kid ?? '' })
      .sign(createPrivateKey(privateKey));
    await expect(verify(verifier, token)).rejects.toMatchObject(refused);
  });

  test('signed by another key, under our key id', async () => {
    const { token, verifier } = await forge((jwt) => jwt, { key: createPrivateKey(newPrivateKey()) });
    await expect(verify(verifier, token)).rejects.toMatchObject(refused);
  });

  test('signed with HS256 and our public key as the secret', async () => {
    const privateKey = newPrivateKey();
    const { signer, verifier } = await createTokens({ privateKey });
    for (const secret of [signer.jwks.keys[0]?.x ?? '', JSON.stringify(signer.jwks.keys[0])]) {
      const token = await new SignJWT({ role: 'ADMIN' })
        .setProtectedHeader({ alg: 'HS256', kid: signer.jwks.keys[0]?.kid ?? '' })
        .setSubject(randomUUID())
        .setIssuer('doorstep')
        .setAudience('doorstep')
        .setExpirationTime('1m')
        .sign(Buffer.from(secret));
      await expect(verify(verifier, token)).rejects.toMatchObject(refused);
    }
  });

  test('with the algorithm none', async () => {
    const { verifier } = await createTokens();
    const unsigned = new UnsecuredJWT({ role: 'ADMIN' })
      .setSubject(randomUUID())
      .setIssuer('doorstep')
      .setAudience('doorstep')
      .setExpirationTime('1m')
      .encode();
    for (const token of [unsigned, `${unsigned}AAAA`]) {
      await expect(verify(verifier, token)).rejects.toMatchObject(refused);
    }
  });

  test('whose payload or signature was changed', async () => {
    const { signer, verifier } = await createTokens();
    const { accessToken } = await signer.sign(user());
    const [header = '', payload = '', signature = ''] = accessToken.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const promoted = Buffer.from(JSON.stringify({ ...claims, role: 'ADMIN' })).toString('base64url');
    const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1);
    for (const token of [`${header}.${promoted}.${signature}`, `${header}.${payload}.${flipped}`]) {
      await expect(verify(verifier, token)).rejects.toMatchObject(refused);
    }
    // Remembering one token must not vouch for another.
    await verify(verifier, accessToken);
    await expect(verify(verifier, `${header}.${promoted}.${signature}`)).rejects.toMatchObject(refused);
  });
});

test('a token is good for five seconds after its end, and a remembered one no longer than that', async () => {
  const privateKey = newPrivateKey();
  // Ended 3 to 4 s ago.
  const signer = await createTokenSigner({ privateKey, ttlMs: -3_000 });
  const verifier = createTokenVerifier(createLocalJWKSet(signer.jwks));
  const { accessToken, expiresAt } = await signer.sign(user());
  expect(await verify(verifier, accessToken)).toMatchObject({ role: 'COURIER' });
  await expect
    .poll(
      () =>
        verify(verifier, accessToken).then(
          () => 'taken',
          (error: unknown) => error,
        ),
      { timeout: 5_000 },
    )
    .toMatchObject(refused);
  expect(Date.now()).toBeGreaterThanOrEqual(expiresAt.getTime() + 5_000);
});
