import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Addresses of proxies whose word is taken: a test of an address, or undefined where the text is no list of such. */
export function readProxies(text: string): ((address: string) => boolean) | undefined {
  const proxies = new BlockList();
  for (const entry of text.split(',').map((part) => part.trim())) {
    const [address = '', bits, ...more] = entry.split('/');
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    if (version === 0 || more.length > 0) return undefined;
    if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most)) return undefined;
    proxies.addSubnet(address, bits === undefined ? most : Number(bits), version === 4 ? 'ipv4' : 'ipv6');
  }
  return (address) => proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * The network address of a client: that of its socket. Where that is a proxy which is trusted, it is the last entry of
 * `x-forwarded-for` that is none: each proxy adds whom it heard, and what stands before that a client may have made up.
 */
export function addressOf(
  { socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>,
  isProxy: ((address: string) => boolean) | undefined,
): string | undefined {
  const { remoteAddress } = socket;
  if (!isProxy || remoteAddress === undefined || !isProxy(remoteAddress)) return remoteAddress;
  const forwarded = headers['x-forwarded-for'];
  const entries = String(forwarded ?? '').split(',');
  let address = remoteAddress;
  for (const entry of entries.reverse()) {
    const before = entry.trim();
    if (isIP(before) === 0) break;
    address = before;
    if (!isProxy(address)) break;
  }
  return address;
}
