import type { FastifyRequest } from 'fastify';

/** The header by which the gateway tells a client's network address, with mutations alone. */
const header = 'x-client-address';
/** As long as an IPv6 address with its zone. */
const longest = 64;

/**
 * The network address of whoever asks: as the gateway tells it, else the one that the request came from. A client that
 * reaches the subgraph past the gateway can tell any.
 */
export function clientAddress({ headers, ip }: FastifyRequest): string {
  const told = headers[header];
  return typeof told === 'string' && told !== '' ? told.slice(0, longest) : ip;
}
