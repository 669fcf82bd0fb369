import { jwtVerify, SignJWT } from 'jose';
import type { ServiceName } from '../config.js';
import { problem } from '../errors.js';

const algorithm = 'HS256';
const prefix = 'doorstep:';
/** A token is sent at once; this is for clocks that differ, and for waiting in a queue. */
const secondsToLive = 60;

/** The tokens that services call each other with. They are signed with a secret that services alone know, and are never a user's. */
export interface ServiceTokens {
  /** The value of an `authorization` header, for one call of one service. */
  sign(from: ServiceName, to: ServiceName): Promise<string>;
  /** @throws UNAUTHENTICATED unless the header is a token of `from` for `to` */
  verify(authorization: string | undefined, from: ServiceName, to: ServiceName): Promise<void>;
}

export function createServiceTokens(secret: string): ServiceTokens {
  const key = new TextEncoder().encode(secret);
  return {
    async sign(from, to) {
      const token = await new SignJWT()
        .setProtectedHeader({ alg: algorithm })
        .setIssuer(prefix + from)
        .setAudience(prefix + to)
        .setIssuedAt()
        .setExpirationTime(`${secondsToLive} s`)
        .sign(key);
      return `Bearer ${token}`;
    },
    async verify(authorization, from, to) {
      const token = /^bearer (\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
      try {
        await jwtVerify(token, key, {
          algorithms: [algorithm],
          issuer: prefix + from,
          audience: prefix + to,
          clockTolerance: 5,
          requiredClaims: ['exp'],
        });
      } catch {
        throw problem('UNAUTHENTICATED', 'This is for other services alone.', { http: { status: 401 } });
      }
    },
  };
}
