import { expect, test } from 'vitest';
import { messageReader } from './http1.js';

const answers = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\nA\r\n:"1234567\r\r\n2\r\n"}\r\n0\r\n\r\n',
  'HTTP/1.1 204 No Content\r\nx: y\r\nContent-Length: 0\r\n\r\n',
];
const bodies = ['hello', '{"a":"1234567\r"}', ''];

test.each([1, 2, 3, 7, 20, 1_000])(
  'messages come whole, whatever pieces of %i bytes they come in',
  (size) => {
    const read: string[] = [];
    const reader = messageReader((_head, body) => read.push(body.toString()));
    const bytes = Buffer.from([...answers, ...answers].join(''));
    for (let at = 0; at < bytes.length; at += size) reader(bytes.subarray(at, at + size));
    expect(read).toEqual([...bodies, ...bodies]);
  },
);

test('a request without a body ends with its head, an answer without a length is refused', () => {
  const heads: string[] = [];
  const reader = messageReader((head) => heads.push(head));
  reader(Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n'));
  expect(heads).toEqual(['GET / HTTP/1.1\r\nhost: a']);
  expect(() => reader(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).toThrow('unknown length');
});
