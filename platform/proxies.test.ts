import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { addressOf, readProxies } from './proxies.js';

const isProxy = readProxies('10.0.0.0/8, 192.0.2.7,2001:db8::/32');
const ask = (remoteAddress: string, forwarded?: string) =>
  addressOf(
    {
      socket: { remoteAddress } as IncomingMessage['socket'],
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    },
    isProxy,
  );

test.each([
  ['192.0.2.1', undefined, '192.0.2.1'],
  ['192.0.2.1', '198.51.100.1', '192.0.2.1'],
  ['10.0.0.1', undefined, '10.0.0.1'],
  ['10.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['10.0.0.1', '203.0.113.9, 198.51.100.1, 192.0.2.7', '198.51.100.1'],
  ['10.0.0.1', '198.51.100.1, unknown', '10.0.0.1'],
  ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['::ffff:10.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['2001:db8::1', '2001:db9::1', '2001:db9::1'],
])('from %s, forwarded for %s, it is %s', (remote, forwarded, address) => {
  expect(ask(remote, forwarded)).toBe(address);
});

test('nobody is trusted unless told', () => {
  const request = {
    socket: { remoteAddress: '10.0.0.1' } as IncomingMessage['socket'],
    headers: { 'x-forwarded-for': '198.51.100.1' },
  };
  expect(addressOf(request, undefined)).toBe('10.0.0.1');
});

test.each(['', 'proxy', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.1,', '10.0.0.0/x'])(
  '%j is no list',
  (text) => {
    expect(readProxies(text)).toBeUndefined();
  },
);
