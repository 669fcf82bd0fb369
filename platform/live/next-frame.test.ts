import { expect, test } from 'vitest';
import { nextFrame, startOf } from './next-frame.js';

/** Reads a frame as RFC 6455, 5.2 has it: a whole text message, without a mask, and nothing after it. */
function read(frame: Buffer): unknown {
  expect(frame[0]).toBe(0x81);
  const short = frame.readUInt8(1);
  const [from, length] =
    short < 126
      ? [2, short]
      : short === 126
        ? [4, frame.readUInt16BE(2)]
        : [10, Number(frame.readBigUInt64BE(2))];
  expect(length).toBeGreaterThanOrEqual({ 2: 0, 4: 126, 10: 65_536 }[from] ?? Number.NaN);
  expect(frame).toHaveLength(from + length);
  return JSON.parse(frame.toString('utf8', from));
}

const bytesOf = (length: number): string => JSON.stringify({ data: 'x'.repeat(length) });

test('a message of any length is one frame', () => {
  const around = [125, 65_535].flatMap((edge) => Array.from({ length: 80 }, (_, n) => edge - 70 + n));
  for (const length of [0, ...around]) {
    const payload = bytesOf(length);
    const message = { id: '1', type: 'next', payload: JSON.parse(payload) };
    expect(read(nextFrame(startOf('1'), payload))).toEqual(message);
    expect(read(nextFrame(startOf('other'), payload))).toEqual({ ...message, id: 'other' });
  }
});

test('names and payloads are whatever JSON allows', () => {
  for (const name of ['', '"', 'né 😀', '\u0000\n']) {
    for (const data of ['né 😀', { '"': [null] }]) {
      const payload = JSON.stringify({ data });
      expect(read(nextFrame(startOf(name), payload))).toEqual({ id: name, type: 'next', payload: { data } });
    }
  }
});

test('what goes to many under one name is made once, and stays as it is', () => {
  const [start, payload] = [startOf('1'), bytesOf(10)];
  const frame = nextFrame(start, payload);
  expect(nextFrame(start, payload)).toBe(frame);
  const before = Buffer.from(frame);
  nextFrame(startOf('2'), payload);
  nextFrame(start, bytesOf(11));
  expect(frame).toEqual(before);
});
