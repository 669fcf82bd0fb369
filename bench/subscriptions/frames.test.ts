import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { clientFrame, FrameReader, opcodes } from './frames.js';

/** A frame of a server, as `ws` makes it: the length in as few bytes as can be. */
function serverFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x81;
  head[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

const texts = ['', 'a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(65_535), 'e'.repeat(65_536), 'é'];

test.each([1, 2, 7, 1_000, 1_000_000])('frames are found in chunks of %i bytes', (size) => {
  const bytes = Buffer.concat(texts.map(serverFrame));
  const found: string[] = [];
  const reader = new FrameReader((opcode, chunk, from, to) => {
    expect(opcode).toBe(opcodes.text);
    found.push(chunk.toString('utf8', from, to));
  });
  // In small steps only at the end: each copies all that has come of its frame.
  const begun = size < 10 ? bytes.length - 400 : 0;
  reader.read(bytes.subarray(0, begun));
  const shared = Buffer.alloc(size);
  for (let at = begun; at < bytes.length; at += size) {
    // A chunk is somebody else's after it was read.
    const length = bytes.copy(shared, 0, at, at + size);
    reader.read(shared.subarray(0, length));
  }
  expect(found).toEqual(texts);
});

test('a server of ws reads what a client sends', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.write(
    'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n' +
      'sec-websocket-key: ZG9vcnN0ZXAgZG9vcnN0ZQ==\r\n\r\n',
  );
  const [socket] = await once(server, 'connection');
  for (const text of ['', 'a'.repeat(125), 'é'.repeat(500), 'b'.repeat(65_000)]) {
    client.write(clientFrame(opcodes.text, text));
    const [data] = await once(socket, 'message');
    expect(String(data)).toBe(text);
  }
  client.destroy();
  server.close();
});
