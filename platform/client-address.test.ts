import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { clientAddress, networkOf } from './client-address.js';

const request = (remoteAddress: string, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: { ...(forwarded && { 'x-forwarded-for': forwarded }) },
  }) as unknown as IncomingMessage;

test('what a client says of its address counts where a trusted proxy passes it on, and nowhere else', () => {
  const trusting = clientAddress(['10.0.0.0/8', 'loopback']);
  const spoofed = '1.2.3.4, 5.6.7.8';
  expect(clientAddress([])(request('10.0.0.1', spoofed))).toBe('10.0.0.1');
  expect(trusting(request('9.9.9.9', spoofed))).toBe('9.9.9.9');
  expect(trusting(request('10.0.0.1', spoofed))).toBe('5.6.7.8');
  expect(trusting(request('127.0.0.1', '1.2.3.4, 5.6.7.8, 10.1.1.1'))).toBe('5.6.7.8');
  expect(trusting(request('10.0.0.1'))).toBe('10.0.0.1');
  expect(trusting(request('10.0.0.1', '<script>'))).toBe('10.0.0.1');
  expect(() => clientAddress(['nowhere'])).toThrow(TypeError);
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', ''],
])('%s is of %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
