import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../platform/auth/principal.js';
import type { TokenVerifier } from '../platform/auth/tokens.js';

/** What a request carries through the gateway to the subgraphs. */
export interface GatewayContext {
  principal: Principal | null;
  /** The header as the client sent it; subgraphs get it and verify it again. */
  authorization?: string;
  /** Names the request in the logs of the gateway and of every subgraph it reaches. */
  requestId: string;
}

const clientsRequestId = /^[\w.-]{1,64}$/;

/** The context of somebody whose token is verified, or of nobody. */
export function contextOf(
  principal: Principal | null,
  authorization: string | undefined,
  requestId: string = randomUUID(),
): GatewayContext {
  return { principal, requestId, ...(authorization && { authorization }) };
}

/**
 * The context of an HTTP request. An `x-request-id` of the client is kept when it looks like one.
 * @throws UNAUTHENTICATED (HTTP 401) where the token is wrong or has expired
 */
export async function requestContext(
  request: FastifyRequest,
  verifier: TokenVerifier,
): Promise<GatewayContext> {
  const { authorization, 'x-request-id': id } = request.headers;
  const principal = await verifier.verify(authorization);
  return contextOf(
    principal,
    authorization,
    typeof id === 'string' && clientsRequestId.test(id) ? id : undefined,
  );
}
