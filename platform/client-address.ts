import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';

/** Where a request comes from. */
export type ClientAddress = (request: IncomingMessage) => string;

/**
 * Tells the address of who sent a request: the one that its connection comes from, and where that is a proxy which is
 * trusted, the one that it names (`x-forwarded-for`). `proxies` are addresses, networks such as 10.0.0.0/8, or
 * loopback, linklocal and uniquelocal.
 * @throws TypeError for what is none of these
 */
export function clientAddress(proxies: readonly string[]): ClientAddress {
  if (proxies.length === 0) return ({ socket }) => socket.remoteAddress ?? '';
  const trusts = proxyAddr.compile([...proxies]);
  return (request) => {
    const address = proxyAddr(request, trusts);
    // What a trusted proxy passes on may still be what a client made up.
    return isIP(address) ? address : (request.socket.remoteAddress ?? '');
  };
}

/** Who is taken for one by its address: an IPv4 address, or the network of an IPv6 address that one customer gets. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('::', 2);
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0');
  const groups = [...first, ...zeros, ...last]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16));
  return `${groups.join(':')}::/64`;
}
